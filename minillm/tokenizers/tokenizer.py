"""The Tokenizer: text to ids and back through five stages, each of them a plain callable."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .explaining import Explanation, explain
from .lengths import Padding, Truncation
from .placing import framed, in_place, is_raw, row_of
from .segments import (
    Normalized,
    Pieces,
    as_list,
    as_utf8,
    blocks_of,
    joined_ids,
    joined_texts,
)
from .special_tokens import SpecialTokens, TokenRule, check_special_tokens
from .stages import Join
from .streaming import StreamDecoder

Ids = Sequence[int] | np.ndarray


@dataclass(eq=False)
class Tokenizer:
    """Five stages, of which only the model is needed.

    normalizer: str -> str. pre_tokenizer: str -> Pieces (bytes, spans). model: Pieces -> (ids,
    spans); its ``vocabulary`` lists the bytes of each id. post_processor: ids -> ids. decoder:
    list of token bytes -> bytes. special_tokens: their ids; token_rules: how some are found.
    truncation, padding: the most and the least tokens of an encoded text, None: any number.

    A stage that rewrites text also has ``aligned(text)``, which gives the new text and, for each
    of its characters, the span of characters of `text` that it comes from, (n, 2) int64; a
    post-processor that keeps track of them has ``place`` (see ``templates``). A model
    may have ``bulk(normalizer, pre_tokenizer)``: a function ``(data, segments) -> (ids, ends)``
    that runs these stages over many texts at once in a kernel, or None if it has none for them.
    """

    model: Any
    normalizer: Any = None
    pre_tokenizer: Callable[[str], Pieces] | None = None
    post_processor: Callable[[np.ndarray], np.ndarray] | None = None
    decoder: Callable[[list[bytes]], bytes] = field(default_factory=Join)
    special_tokens: dict[str, int] = field(default_factory=dict)
    token_rules: dict[str, TokenRule] = field(default_factory=dict)
    truncation: Truncation | None = None
    padding: Padding | None = None

    def __post_init__(self) -> None:
        self._finder = SpecialTokens(self.special_tokens, self.token_rules, self.normalizer)
        size = max([len(self.model.vocabulary), *(id + 1 for id in self.special_tokens.values())])
        self._special_ids: dict[bytes, int] = {}
        self._bytes: list[bytes | None] = [None] * size
        self._bytes[: len(self.model.vocabulary)] = self.model.vocabulary
        for token, id in self.special_tokens.items():
            form = self._finder.form(token)
            self._special_ids.setdefault(form.encode(), id)
            self._special_ids[token.encode()] = id
            if form != token or self._bytes[id] is None:  # else the model may mean other bytes
                self._bytes[id] = form.encode()

    # -- making one ---------------------------------------------------------------------------

    @classmethod
    def train(
        cls,
        texts: Iterable[str | Path],
        model: str = "byte_bpe",
        vocab_size: int | None = None,
        special_tokens: Iterable[str] = (),
        **options: Any,
    ) -> "Tokenizer":
        """Learn a tokenizer from texts.

        texts: each str is a text, each pathlib.Path a UTF-8 file, read line by line. model:
        a name in ``TRAINERS``, such as ``byte_bpe`` or ``unigram``. Special tokens get the first
        ids, unless the format says otherwise. Options go to the trainer, for example
        ``unk_token="<|unk|>"``, ``pattern="cl100k"``, ``min_frequency=2``, ``tie="cs336"``.
        """
        from .trainers import TRAINERS

        if model not in TRAINERS:
            raise ValueError(f"model={model!r} is not a model; use one of {', '.join(TRAINERS)}")
        if isinstance(texts, str | Path):
            raise TypeError(f"texts={texts!r:.60} is a single text or path; pass a list of them")
        specials = list(special_tokens)
        check_special_tokens(specials)
        stages = TRAINERS[model](texts, vocab_size, specials, **options)
        named = stages.pop("specials")
        if not isinstance(named, dict):
            named = {token: id for id, token in enumerate(named)}
        return cls(**stages, special_tokens=named)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        merges: str | os.PathLike | None = None,
        pattern: str = "gpt2",
        special_tokens: Mapping[str, int] | None = None,
    ) -> "Tokenizer":
        """Read a tokenizer.json, .tiktoken, SentencePiece .model, BytePiece or BERT's vocab.txt
        file, or a vocab.json with its `merges`.

        pattern: the split rule, for the formats that do not hold it: ``gpt2``, ``cl100k``,
        ``cl100k_original``, ``o200k`` or a regular expression. A broken file raises a ValueError.
        """
        from .opening import read_tokenizer

        return cls(**read_tokenizer(Path(path), merges, pattern, special_tokens))

    def save(self, path: str | os.PathLike) -> None:
        """Write a tokenizer.json, which Hugging Face tokenizers opens too.

        A model with a file format of its own (SentencePiece, BytePiece) is written in that.
        """
        from .opening import write_tokenizer

        write_tokenizer(self, Path(path))

    # -- text to ids --------------------------------------------------------------------------

    def encode(self, text: str, special: str = "raise") -> list[int]:
        """Ids of a text.

        special: what to do with special tokens in it: ``raise`` a ValueError, ``allow`` them to
        become their ids, or treat them as ordinary ``text``.
        """
        return self.encode_array(text, special).tolist()

    def encode_array(self, text: str, special: str = "raise") -> np.ndarray:
        """Ids of a text as an int32 array."""
        return self.encode_batch([text], special)[0]

    def encode_batch(
        self, texts: Iterable[str], special: str = "raise"
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids, offsets): text k has ``ids[offsets[k] : offsets[k + 1]]``; int32 and int64."""
        texts = list(texts)
        suspects = self._finder.suspects(texts, special)
        cut = {k: self._finder.parts(texts[k], special) for k in suspects}
        frames = self.post_processor or self.truncation or self.padding
        if frames is None and all(row == [texts[k]] for k, row in cut.items()):
            ids, ends = self._encode_plain(texts)
            return ids, np.concatenate([[0], ends])
        rows: list[list[Any]] = [cut.get(k, [text]) for k, text in enumerate(texts)]
        plain = [part for row in rows for part in row if is_raw(part)]
        ids, ends = self._encode_plain(plain)
        pieces = iter(np.split(ids, ends[:-1]) if len(ends) else [])
        encoded = []
        for row in rows:
            found = [next(pieces) if is_raw(part) else self._ids_of(part) for part in row]
            joined = np.concatenate([np.empty(0, np.int32), *found]).astype(np.int32)
            encoded.append(joined)
        encoded = self._framed(encoded) if frames else encoded
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in encoded])]).astype(np.int64)
        return np.concatenate([np.empty(0, np.int32), *encoded]).astype(np.int32), offsets

    def encode_file(
        self, path: str | os.PathLike, output: str | os.PathLike, special: str = "raise",
        progress: bool = False,
    ) -> Any:
        """Encode a text file of any size into a token file; see ``file_encoding``."""
        from .file_encoding import encode_file

        return encode_file(self, path, output, special, progress)

    def encode_with_offsets(
        self, text: str, special: str = "raise"
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and the (start, end) of the characters of `text` that each comes from.

        Tokens that share a character all report the whole character. What the post-processor or
        padding adds comes from nowhere in the text: (0, 0).
        """
        row = framed(self, [row_of(self, text, special)])
        return row.ids.tolist(), [(start, end) for start, end in row.spans.tolist()]

    def encode_pair(
        self, first: str, second: str, special: str = "raise"
    ) -> tuple[list[int], list[int]]:
        """(ids, type ids) of two texts in the post-processor's template, BERT's for example."""
        row = framed(self, [row_of(self, text, special) for text in (first, second)])
        return row.ids.tolist(), row.types.tolist()

    def tokens(self, text: str, special: str = "raise") -> list[str]:
        """The text of each id; a byte that is no character of its own is shown as ``\\xe4``."""
        return [self.id_to_token(id) for id in self.encode(text, special)]

    def explain(self, text: str, special: str = "raise") -> Explanation:
        """The result of every stage, for looking at."""
        return explain(self, text, special)

    def _encode_plain(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of texts that hold no special tokens."""
        bulk = getattr(self.model, "bulk", None)
        fast = bulk(self.normalizer, self.pre_tokenizer) if bulk else None
        if fast is not None:
            return joined_ids([fast(*joined_texts(block)) for block in blocks_of(texts)])
        found = [self.model(self._pieces(text))[0] for text in texts]
        return joined_ids([(ids, np.array([len(ids)])) for ids in found])

    def _framed(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        """The ids of texts, truncated, post-processed and filled up."""
        stage = self.post_processor
        if self.truncation is not None:
            added = len(stage(np.empty(0, np.int32))) if stage else 0
            rows = [row[self.truncation.keep([len(row)], added)[0]] for row in rows]
        rows = [stage(row) for row in rows] if stage else rows
        return rows if self.padding is None else self.padding.fill_ids(rows)

    def _ids_of(self, part: Normalized | tuple[int, int, int]) -> Ids:
        """Ids of a part that is normalized already, or of a special token."""
        return self.model(self._pieces(part))[0] if isinstance(part, Normalized) else part[:1]

    def _normalized(self, text: str) -> str:
        return text if self.normalizer is None or not is_raw(text) else self.normalizer(text)

    def _pieces(self, text: str) -> Pieces:
        normal = self._normalized(text)
        if self.pre_tokenizer is not None:
            return self.pre_tokenizer(in_place(self, normal, text))
        data = np.frombuffer(as_utf8(normal), np.uint8)
        whole = [[0, len(data)]] if len(data) else []
        return Pieces(data, np.array(whole, np.int64).reshape(-1, 2))

    # -- ids to text --------------------------------------------------------------------------

    def decode(self, ids: Ids, skip_special: bool = False) -> str:
        """The text of ids. Bytes that are not valid UTF-8 become U+FFFD.

        skip_special: leave out special tokens, such as a template has put in.
        """
        ids = as_list(ids)
        if skip_special:
            ordinary = {t for t, rule in self.token_rules.items() if rule.ordinary}
            left_out = {id for t, id in self.special_tokens.items() if t not in ordinary}
            ids = [id for id in ids if id not in left_out]
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: Ids) -> bytes:
        """The bytes of ids."""
        return self.decoder([self._token(id, k) for k, id in enumerate(as_list(ids))])

    def stream(self) -> StreamDecoder:
        """A decoder for ids that come one by one: ``push(id) -> str`` and ``finish() -> str``."""
        return StreamDecoder(self.id_to_bytes, self.decoder)

    def _token(self, id: int, position: int) -> bytes:
        token = self._bytes[id] if 0 <= id < len(self._bytes) else None
        if token is None:
            raise ValueError(
                f"ids[{position}]={id} is not an id of this tokenizer; expected 0 to "
                f"{len(self._bytes) - 1}"
            )
        return token

    # -- vocabulary ---------------------------------------------------------------------------

    @property
    def vocab_size(self) -> int:
        """Number of ids: the greatest id plus one."""
        return len(self._bytes)

    def token_to_id(self, token: str | bytes) -> int | None:
        """Id of a token given as its text or its bytes, or None."""
        if isinstance(token, str) and token in self.special_tokens:
            return self.special_tokens[token]
        data = token.encode() if isinstance(token, str) else token
        return self.model.ids.get(data, self._special_ids.get(data))

    def id_to_bytes(self, id: int) -> bytes:
        """Bytes of an id, as they stand in the vocabulary."""
        return self._token(as_list([id])[0], 0)

    def id_to_token(self, id: int) -> str:
        """Text of an id; bytes that are no characters are shown as ``\\xe4``."""
        return self.id_to_bytes(id).decode("utf-8", "backslashreplace")
