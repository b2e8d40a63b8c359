"""SentencePiece's BPE: merges between any two neighbours whose text together is a piece.

A vocabulary of pieces with scores is all there is; no list of merges and no word boundaries.
``SentencePieceBPE.symbols`` and ``merged`` are the definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...backends import active_backend
from ..text.memories import Memories
from ..text.segments import Pieces
from .model_file import NORMAL, UNUSED, USER_DEFINED
from .normalizer import SPACE, width

MERGEABLE = (NORMAL, USER_DEFINED, UNUSED)
Symbol = tuple[bytes, bool]  # its bytes, and whether it is frozen: a user-defined symbol


@dataclass(eq=False)
class SentencePieceBPE:
    """Pieces and scores; a text is encoded whole.

    vocabulary: bytes of each id. scores (V,), types (V,): as in the file. unk_id: stands for a run
    of characters that are no pieces, unless `byte_fallback` turns them into byte pieces. kind:
    "bpe"; "char" never merges; "word" looks up whole words.
    """

    vocabulary: list[bytes | None]
    scores: np.ndarray
    types: np.ndarray
    unk_id: int = 0
    byte_fallback: bool = False
    kind: str = "bpe"

    def __post_init__(self) -> None:
        self.scores = np.asarray(self.scores, np.float32)
        self.types = np.asarray(self.types, np.int32)
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}
        kinds = self.types.tolist()
        scores = self.scores.tolist()
        self.mergeable = {
            token: scores[id] for token, id in self.ids.items() if kinds[id] in MERGEABLE
        }
        self.user_defined = {t for t, id in self.ids.items() if kinds[id] == USER_DEFINED}
        self.unused = {t for t, id in self.ids.items() if kinds[id] == UNUSED}
        self.longest_symbol = max(map(len, self.user_defined), default=0)

    # -- the definition -----------------------------------------------------------------------

    def symbols(self, text: bytes) -> Iterator[Symbol]:
        """The text as user-defined symbols, the longest first, and single characters."""
        i = 0
        while i < len(text):
            for end in range(min(i + self.longest_symbol, len(text)), i, -1):
                if text[i:end] in self.user_defined:
                    yield text[i:end], True
                    break
            else:
                end = i + max(width(text[i]), 1)
                yield text[i:end], False
            i = end

    def merged(self, symbols: list[Symbol]) -> list[bytes]:
        """Join the neighbours whose text is the piece of highest score, the leftmost first."""
        halves: dict[bytes, tuple[bytes, bytes]] = {}
        scores: list[float | None] = []

        def score(k: int) -> float | None:
            (left, frozen), (right, also) = symbols[k], symbols[k + 1]
            if frozen or also or left + right not in self.mergeable:
                return None
            if left + right in self.unused:
                halves[left + right] = left, right
            return self.mergeable[left + right]

        scores = [score(k) for k in range(len(symbols) - 1)]
        while any(found is not None for found in scores):
            best = max(found for found in scores if found is not None)
            k = scores.index(best)
            symbols[k : k + 2] = [(symbols[k][0] + symbols[k + 1][0], False)]
            del scores[k]
            for near in (k - 1, k):
                if 0 <= near < len(scores):
                    scores[near] = score(near)
        return [part for symbol, _ in symbols for part in self.split_back(symbol, halves)]

    def split_back(
        self, symbol: bytes, halves: dict[bytes, tuple[bytes, bytes]]
    ) -> Iterator[bytes]:
        """A piece that is not to be used, as the two that it was made of."""
        if symbol not in halves:
            yield symbol
        else:
            for half in halves[symbol]:
                yield from self.split_back(half, halves)

    def pieces_of(self, text: bytes) -> list[bytes]:
        """The text cut into pieces and unknown characters."""
        if self.kind == "word":
            first, *others = text.split(SPACE)
            return [part for part in [first, *(SPACE + word for word in others)] if part]
        symbols = list(self.symbols(text))
        return self.merged(symbols) if self.kind == "bpe" else [symbol for symbol, _ in symbols]

    def tokens_of(self, text: bytes) -> list[tuple[int, int, int]]:
        """(start, end, id) of the tokens of a text."""
        found: list[tuple[int, int, int]] = []
        start = 0
        for piece in self.pieces_of(text):
            known = piece in self.mergeable  # text never turns into a control piece
            id, end = self.ids[piece] if known else self.unk_id, start + len(piece)
            if id != self.unk_id:
                found.append((start, end, id))
            elif self.byte_fallback:
                found += [
                    (start + k, start + k + 1, self.ids[b"<0x%02X>" % byte])
                    for k, byte in enumerate(piece)
                ]
            elif found and found[-1][2] == id:
                found[-1] = found[-1][0], end, id
            else:
                found.append((start, end, id))
            start = end
        return found

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the pieces and their byte spans (n, 2)."""
        if active_backend() == "numba" and self.has_kernel:
            from ..bpe.character_words import encode_with_spans

            if (tokens := encode_with_spans(self, pieces)) is not None:
                return tokens
        raw = pieces.data.tobytes()
        rows = []
        for i, j in pieces.spans.tolist():
            rows += [(i + s, i + e, id) for s, e, id in self.tokens_of(raw[i:j])]
        table = np.array(rows, np.int64).reshape(-1, 3)
        return table[:, 2].astype(np.int32), table[:, :2]

    # -- the kernel ---------------------------------------------------------------------------

    def bulk(self, normalizer: Any, pre_tokenizer: Any) -> Any:
        """Encoding of many texts at once, with the normalizer in a kernel too."""
        if pre_tokenizer is not None or active_backend() != "numba":
            return None
        if normalizer is None:
            return self.encode
        if hasattr(normalizer, "many"):
            return lambda data, segments: self.encode(*normalizer.many(data, segments))
        return None

    def encode(self, data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of the segments (s, 2) of `data`, each a normalized text."""
        if active_backend() == "numba" and self.has_kernel:
            from ..bpe.character_words import encode_many

            return encode_many(self, data, segments)
        raw = data.tobytes()
        rows = [[id for _, _, id in self.tokens_of(raw[i:j])] for i, j in segments.tolist()]
        ids = np.array([id for row in rows for id in row], np.int32)
        return ids, np.cumsum([len(row) for row in rows], dtype=np.int64)

    @property
    def has_kernel(self) -> bool:
        """Can the kernel do the same? It looks up no whole words, and takes no piece apart."""
        return self.kind != "word" and not self.unused

    def forget(self) -> None:
        """Empty the memory of words seen."""
        self.memories.forget()

    @cached_property
    def pieces(self) -> Any:
        """The vocabulary, as the kernel wants it."""
        from .bulk import kernel_pieces

        return kernel_pieces(self)

    @cached_property
    def memories(self) -> Memories:
        """Of words seen, each with room for working on a word."""
        from ..bpe.character_words import new_memory

        return Memories(new_memory)
