"""The Tokenizer: text to ids and back through five stages, each of them a plain callable."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import threads
from .counting.distinct_pieces import between_tokens
from .encoding import Batch, Encoding, encoding_of, filled, make_batch
from .explaining import Explanation, explain
from .patterns.automaton import NoAutomatonError
from .post_processors.lengths import Padding, Truncation
from .rows import Text, encoded_with_places, row_of_both
from .special_tokens import Special, TokenRule, check_each, check_special_tokens
from .stage_by_stage import encoder_of
from .stages import Stages
from .text.segments import UnknownTextError, blocks_of, is_raw, joined_ids, many, with_tokens
from .vocabulary import Vocabulary

MANY = 1 << 20  # characters that are encoded together


class Tokenizer(Vocabulary):
    """Text to ids and back; see ``Stages`` for what it is made of.

    All ways to encode take the same two settings. special: what to do with special tokens in the
    text: ``raise`` a ValueError, ``allow`` them to become their ids, or treat them as ordinary
    ``text``; or a map from some of them to one of these words (the others raise).
    add_special_tokens: let the post-processor add what the model expects around a text.
    """

    # -- making one ---------------------------------------------------------------------------

    @classmethod
    def of(cls, stages: Stages) -> "Tokenizer":
        """The tokenizer of stages, as readers and trainers return them."""
        return cls(**{field.name: getattr(stages, field.name) for field in fields(Stages)})

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
        ids, unless the format says otherwise; where one stands in a text, the text is cut.
        Options go to the trainer, for example ``unk_token="<|unk|>"``, ``pattern="cl100k"``,
        ``min_frequency=2``, ``tie="cs336"``.
        """
        from .trainers import TRAINERS

        if model not in TRAINERS:
            raise ValueError(f"model={model!r} is not a model; use one of {', '.join(TRAINERS)}")
        texts = many("texts", texts)
        specials = list(many("special_tokens", special_tokens))
        check_special_tokens(specials)
        if specials and model != "sentencepiece":  # whose trainer has rules of its own for them
            texts = between_tokens(texts, specials)
        return cls.of(TRAINERS[model](texts, vocab_size, specials, **options))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike | bytes,
        merges: str | os.PathLike | None = None,
        pattern: str = "gpt2",
        special_tokens: Mapping[str, int] | None = None,
        lowercase: bool | None = None,
    ) -> "Tokenizer":
        """Read a tokenizer.json, .tiktoken, SentencePiece or minbpe .model, BytePiece or BERT's
        vocab.txt file, or a vocab.json with its `merges`. path: of the file, or, as bytes, what
        stands in it.

        pattern: the split rule, for the formats that do not hold it: ``gpt2``, ``cl100k``,
        ``cl100k_original``, ``o200k`` or a regular expression. lowercase: does a
        vocab.txt want small letters (None: if no capital is an entry)? A broken file raises a
        ValueError.
        """
        from .formats.any_file import read_tokenizer

        return cls.of(read_tokenizer(path, merges, pattern, special_tokens, lowercase))

    def save(self, path: str | os.PathLike) -> None:
        """Write a tokenizer.json, which Hugging Face tokenizers opens too.

        A model with a file format of its own (SentencePiece, BytePiece) is written in that.
        """
        from .formats.any_file import write_tokenizer

        write_tokenizer(self, Path(path))

    @classmethod
    def from_ranks(
        cls, ranks: Mapping[bytes, int], pattern: str = "gpt2",
        special_tokens: Mapping[str, int] | None = None,
    ) -> "Tokenizer":
        """tiktoken's kind of tokenizer, from the rank of each token and the split rule."""
        from .formats.rank_files import stages_of_ranks

        if not isinstance(ranks, Mapping):
            raise TypeError(f"ranks={ranks!r:.60}; expected a map from bytes to ranks")
        whole = {token: int(rank) if isinstance(rank, np.integer) else rank
                 for token, rank in ranks.items()}
        return cls.of(stages_of_ranks(whole, "ranks", pattern, special_tokens))

    def add_tokens(self, tokens: Iterable[str], ordinary: bool = False) -> "Tokenizer":
        """A tokenizer that knows these tokens too, with ids from ``vocab_size`` on.

        ordinary: they are part of the language and found whatever ``special`` says. Tokens that
        are there already, the model's entries among them, keep their ids. This tokenizer stays as
        it is, for those who share it.
        """
        named = dict.fromkeys(many("tokens", tokens))
        new = [token for token in named if token not in self.special_tokens]
        check_special_tokens(new)
        ids = {token: self.model.ids.get(token.encode()) for token in new}
        unknown = [token for token, id in ids.items() if id is None]
        ids |= {token: self.vocab_size + k for k, token in enumerate(unknown)}
        rules = {token: TokenRule(ordinary=True) for token in new if ordinary}
        return replace(
            self, special_tokens=self.special_tokens | ids, token_rules=self.token_rules | rules
        )

    # -- text to ids --------------------------------------------------------------------------

    def encode(
        self, text: str, special: Special = "raise", add_special_tokens: bool = True
    ) -> list[int]:
        """Ids of a text."""
        return self.encode_array(text, special, add_special_tokens).tolist()

    def encode_array(
        self, text: str, special: Special = "raise", add_special_tokens: bool = True
    ) -> np.ndarray:
        """Ids of a text as an int32 array."""
        return self.encode_batch([text], special, add_special_tokens)[0]

    def encode_iterable(
        self, texts: Iterable[str], special: Special = "raise", add_special_tokens: bool = True
    ) -> Iterator[int]:
        """Ids of one text after the other, of which only a few are in memory at once.

        The tokenizer's padding is not applied.
        """
        bare = replace(self, padding=None) if self.padding else self  # there is nothing to fill up
        waiting: list[str] = []
        size = 0
        for text in many("texts", texts):
            waiting.append(text)
            size += len(text) if isinstance(text, str) else MANY  # encode_batch refuses it by name
            if size >= MANY:
                yield from bare.encode_batch(waiting, special, add_special_tokens)[0].tolist()
                waiting, size = [], 0
        yield from bare.encode_batch(waiting, special, add_special_tokens)[0].tolist()

    def encode_batch(
        self, texts: Iterable[str], special: Special = "raise", add_special_tokens: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids, offsets): text k has ``ids[offsets[k] : offsets[k + 1]]``; int32 and int64."""
        texts = list(many("texts", texts))
        ids, ends = self._encode_cut(texts, special)
        stage = self.post_processor if add_special_tokens else None
        if stage or self.truncation or self.padding:
            rows = self._framed(np.split(ids, ends[:-1]) if len(ends) else [], stage)
            ids, ends = joined_ids([(row, np.array([len(row)])) for row in rows])
        return ids, np.concatenate([[0], ends])

    def encode_file(
        self, path: str | os.PathLike, output: str | os.PathLike, special: Special = "raise",
        progress: bool = False,
    ) -> Any:
        """Encode a text file of any size into a token file; see ``file_encoding``."""
        from .file_encoding import encode_file

        return encode_file(self, path, output, special, progress)

    def encode_with_offsets(
        self, text: str, special: Special = "raise", add_special_tokens: bool = True
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and the (start, end) of the characters of `text` that each comes from.

        Tokens that share a character all report the whole character. What the post-processor or
        padding adds comes from nowhere in the text: (0, 0).
        """
        row = filled(row_of_both(self, text, None, special, add_special_tokens), self.padding)
        return row.ids.tolist(), list(zip(row.spans[:, 0].tolist(), row.spans[:, 1].tolist()))

    def encode_batch_with_offsets(
        self, texts: Iterable[str], special: Special = "raise", add_special_tokens: bool = True
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(ids, offsets, spans): the first two as in ``encode_batch``, and the characters (n, 2)
        of its text that each id comes from; see ``encode_with_offsets``."""
        texts = check_each(list(many("texts", texts)))
        ids, ends, spans = encoded_with_places(self, texts, special, add_special_tokens)
        return ids, np.concatenate([[0], ends]), spans

    def encode_pair(
        self, first: str, second: str, special: Special = "raise", add_special_tokens: bool = True
    ) -> tuple[list[int], list[int]]:
        """(ids, type ids) of two texts in the post-processor's template, BERT's for example."""
        row = filled(row_of_both(self, first, second, special, add_special_tokens), self.padding)
        return row.ids.tolist(), row.types.tolist()

    def encoding(
        self, text: Text, pair: Text | None = None, special: Special = "raise",
        add_special_tokens: bool = True,
    ) -> Encoding:
        """All that is known of the tokens of a text or of two; see ``Encoding``.

        A text may be given as a list of its words: then each is encoded by itself, offsets are
        those in the word, and word ids count the list.
        """
        row = filled(row_of_both(self, text, pair, special, add_special_tokens), self.padding)
        return encoding_of(row, [self.id_to_token(id) for id in row.ids.tolist()])

    def batch(
        self, texts: Iterable[Text], pairs: Iterable[Text] | None = None,
        truncation: Truncation | None = None, padding: Padding | None = None,
        special: Special = "raise", add_special_tokens: bool = True,
    ) -> Batch:
        """Texts, or pairs of texts, as arrays of one length (B, T), with the mask of padding.

        truncation, padding: instead of the tokenizer's own. Without any, texts are filled up to
        the longest with ``pad_id``.
        """
        return make_batch(self, texts, pairs, truncation, padding,
                          lambda texts: self._encode_cut(texts, special), add_special_tokens)

    def tokens(
        self, text: str, special: Special = "raise", add_special_tokens: bool = True
    ) -> list[str]:
        """The text of each id; a byte that is no character of its own is shown as ``\\xe4``."""
        return [self.id_to_token(id) for id in self.encode(text, special, add_special_tokens)]

    def explain(self, text: str, special: Special = "raise") -> Explanation:
        """The result of every stage, for looking at."""
        return explain(self, text, special)

    def _encode_cut(self, texts: list[str], special: Special) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of texts, special tokens among them, without what is put around them."""
        self._finder.check_mode(special)
        blocks = list(blocks_of(check_each(texts)))  # one is searched while a kernel is at another
        return joined_ids(threads.run(lambda k: self._encode_block(blocks[k], special),
                                      len(blocks)))

    def _encode_block(self, texts: list[str], special: Special) -> tuple[np.ndarray, np.ndarray]:
        """The same of a few texts."""
        placed = bool(getattr(self.pre_tokenizer, "needs_place", False))
        if (simple := self._finder.split_all(texts, special, placed)) is not None:
            ids, ends = self._encode_plain(simple[0])
            if not any(simple[1]):
                return ids, ends
            return with_tokens(ids, ends, self._finder.ids_of(simple[1]))
        rows: list[list[Any]] = [self._finder.parts(text, special) for text in texts]
        ids, ends = self._encode_plain([part for row in rows for part in row if is_raw(part)])
        pieces = iter(np.split(ids, ends[:-1]) if len(ends) else [])

        def ids_of(part: Any) -> Any:
            if is_raw(part):
                return next(pieces)
            # A special token, or text that is normalized already.
            return part[:1] if isinstance(part, tuple) else self.model(self._pieces(part))[0]

        encoded = [np.array([id for part in row for id in ids_of(part)], np.int32) for row in rows]
        return joined_ids([(row, np.array([len(row)])) for row in encoded])

    def _encode_plain(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of a few texts that hold no special tokens."""
        try:
            return encoder_of(self)(texts)
        except (NoAutomatonError, UnknownTextError):  # of which the text's own place is told
            found = [self.model(self._pieces(text))[0] for text in texts]
            return joined_ids([(ids, np.array([len(ids)])) for ids in found])

    def _framed(self, rows: list[np.ndarray], stage: Any) -> list[np.ndarray]:
        """The ids of texts, truncated, post-processed and filled up."""
        if self.truncation is not None:
            added = len(stage(np.empty(0, np.int32))) if stage else 0
            rows = [row[self.truncation.keep([len(row)], added)[0]] for row in rows]
        rows = [stage(row) for row in rows] if stage else rows
        return rows if self.padding is None else self.padding.fill_ids(rows)
