"""Stages with their ids: the vocabulary, and the way from ids back to text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np

from ..backends import active_backend
from .decoders.by_table import Decoding, flattened
from .decoders.joining import Join
from .decoders.streaming import StreamDecoder
from .normalizers.alignment import normal_form
from .special_tokens import SpecialTokens, check_special_ids
from .stages import Stages
from .text.segments import Continued, Normalized, Pieces, as_list, as_utf8, is_raw

Ids = Sequence[int] | np.ndarray
FEW = 512  # ids that are decoded sooner row by row
USUAL_NAMES = {  # of the tokens that begin, end and fill up a text, where a file does not say
    "bos": ("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]"),
    "eos": ("</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "[EOS]"),
    "pad": ("<pad>", "[PAD]", "<|pad|>"),
}


@dataclass(eq=False)
class Vocabulary(Stages):
    """The stages of a tokenizer together with the token of each id."""

    def __post_init__(self) -> None:
        self.special_tokens, self.token_rules = dict(self.special_tokens), dict(self.token_rules)
        check_special_ids(self.special_tokens, self.model.vocabulary)
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

    # -- the first two stages -----------------------------------------------------------------

    def _normalized(self, text: str) -> str:
        return text if self.normalizer is None or not is_raw(text) else self.normalizer(text)

    def _pieces(self, text: str) -> Pieces:
        placed = getattr(self.pre_tokenizer, "needs_place", False)
        return self._cut(self._aligned(text)[0] if placed else self._normalized(text))

    def _aligned(self, text: str) -> tuple[str, np.ndarray | None]:
        """The normalized text, and the characters (n, 2) it comes from; None: those of `text`.

        A pre-tokenizer that asks for it gets the normalized text with its place in the whole text.
        """
        if self.normalizer is None:
            return text, None
        normal, sources = normal_form(self.normalizer, text)
        if is_raw(text) and getattr(self.pre_tokenizer, "needs_place", False):
            normal = Normalized.of(normal, sources + isinstance(text, Continued))
        return normal, sources

    @cached_property
    def _spaces(self) -> np.ndarray:
        """(V, 2) spaces at both ends of each token, filled in by ``rows``; -1: not yet."""
        return np.full((len(self._bytes), 2), -1, np.int64)

    @cached_property
    def _entries(self) -> Any:
        """The model's vocabulary, as kernels look it up."""
        from .text.index_kernel import entries_of

        return entries_of([token or b"" for token in self.model.vocabulary])

    def _cut(self, normal: str) -> Pieces:
        if self.pre_tokenizer is not None:
            return self.pre_tokenizer(normal)
        data = np.frombuffer(as_utf8(normal), np.uint8)
        whole = [[0, len(data)]] if len(data) else []
        return Pieces(data, np.array(whole, np.int64).reshape(-1, 2))

    # -- ids to text --------------------------------------------------------------------------

    def decode(self, ids: Ids, skip_special: bool = False, errors: str = "replace") -> str:
        """The text of ids.

        skip_special: leave out special tokens, such as a template has put in. errors: what becomes
        of bytes that are not valid UTF-8, as in ``bytes.decode``: each run is ``replace``d by
        U+FFFD; ``ignore``, ``backslashreplace`` or ``strict``, which raises a UnicodeDecodeError.
        """
        ids = as_list(ids)
        if skip_special:
            left_out = self._left_out()
            ids = [id for id in ids if id not in left_out]
        return self.decoder(self._tokens(ids)).decode("utf-8", errors)

    def _left_out(self) -> set[int]:
        """Ids of special tokens that are no part of the language."""
        ordinary = {t for t, rule in self.token_rules.items() if rule.ordinary}
        return {id for t, id in self.special_tokens.items() if t not in ordinary}

    def decode_bytes(self, ids: Ids) -> bytes:
        """The bytes of ids."""
        return self.decoder(self._tokens(as_list(ids)))

    def _tokens(self, ids: list[int]) -> list[bytes]:
        known = len(ids) > 1 and min(ids) >= 0 and max(ids) < len(self._bytes)
        tokens: Any = itemgetter(*ids)(self._bytes) if known else (None,)
        if None in tokens:
            tokens = [self._token(id, k) for k, id in enumerate(ids)]  # which says what is wrong
        return list(tokens)

    def decode_batch(
        self, rows: Iterable[Ids], skip_special: bool = False, errors: str = "replace"
    ) -> list[str]:
        """The text of each row of ids; see ``decode``."""
        rows = list(rows)
        found = flattened(rows) if active_backend() == "numba" else None
        if found is None or len(found[0]) < FEW:
            return [self.decode(ids, skip_special, errors) for ids in rows]
        flat, starts = found
        if skip_special:
            kept = ~np.isin(flat, [*self._left_out()])
            flat, starts = flat[kept], np.concatenate([[0], np.cumsum(kept)])[starts]
        made = self._decoding(flat, starts) or [None] * len(rows)
        return [self.decode(ids, skip_special, errors) if data is None
                else data.decode("utf-8", errors) for ids, data in zip(rows, made)]

    @cached_property
    def _decoding(self) -> Decoding:
        return Decoding(self.decoder, self._bytes)

    def decode_with_offsets(self, ids: Ids) -> tuple[str, list[int]]:
        """The text of ids, and the character of it at which each begins.

        A token that begins inside a character has the place of that character; bytes that are not
        valid UTF-8 raise a UnicodeDecodeError. Only for decoders that put tokens one after
        another: others change them by what stands beside them.
        """
        if not isinstance(self.decoder, Join):
            raise TypeError(f"decoder={self.decoder!r:.80} does not just join tokens, so they have "
                            "no places in the text; push them to stream() one by one instead")
        tokens = [self._token(id, k) for k, id in enumerate(as_list(ids))]
        data = np.frombuffer(b"".join(tokens), np.uint8)
        begun = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])
        starts = np.cumsum([0, *map(len, tokens)])[:-1]
        inside = np.array([token[:1] != b"" and 0x80 <= token[0] < 0xC0 for token in tokens], int)
        return b"".join(tokens).decode(), (begun[starts] - inside).tolist()

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

    def get_vocab(self) -> dict[bytes, int]:
        """The bytes of every token and its id; a special token hides an entry of its spelling."""
        return self.model.ids | self._special_ids

    def token_to_id(self, token: str | bytes) -> int | None:
        """Id of a token given as its text or its bytes, or None."""
        if isinstance(token, str) and token in self.special_tokens:
            return self.special_tokens[token]
        data = token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token
        return self.model.ids.get(data, self._special_ids.get(data))

    def id_to_bytes(self, id: int) -> bytes:
        """Bytes of an id, as they stand in the vocabulary."""
        return self._token(as_list([id])[0], 0)

    def id_to_token(self, id: int) -> str:
        """Text of an id; bytes that are no characters are shown as ``\\xe4``."""
        return self.id_to_bytes(id).decode("utf-8", "backslashreplace")

    @property
    def unk_id(self) -> int | None:
        """The id of unknown text, if the model has one."""
        return getattr(self.model, "unk_id", None)

    @property
    def bos_id(self) -> int | None:
        """The id that begins a text: what a .model file says, else by its usual names, or None."""
        return self._named("bos")

    @property
    def eos_id(self) -> int | None:
        """The id that ends a text, found like ``bos_id``."""
        return self._named("eos")

    @property
    def pad_id(self) -> int | None:
        """The id that fills up a text: the padding's, else found like ``bos_id``."""
        return self._named("pad") if self.padding is None else self.padding.pad_id

    def _named(self, role: str) -> int | None:
        said = getattr(self.model, "roles", None)  # of a file that names them
        if said is not None:
            return None if said[role] < 0 else said[role]
        found = [self.special_tokens[name] for name in USUAL_NAMES[role]
                 if name in self.special_tokens]
        return found[0] if found else None
