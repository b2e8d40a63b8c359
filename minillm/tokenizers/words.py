"""Models whose pieces are words or characters: a plain vocabulary, and BPE of characters."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .bpe import apply_merges
from .segments import Pieces


class UnknownTextError(ValueError):
    """A piece is not in the vocabulary, and there is no unknown token to stand for it."""


def unknown(piece: str, position: int) -> UnknownTextError:
    return UnknownTextError(
        f"text has {piece!r} at byte {position}, which is not in the vocabulary; train with "
        "unk_token='<|unk|>' to give unknown text an id"
    )


def texts_of(pieces: Pieces) -> Iterator[tuple[str, int, int]]:
    """(piece, start, end) of every piece."""
    raw = pieces.data.tobytes()
    for start, end in pieces.spans.tolist():
        yield raw[start:end].decode(), start, end


@dataclass(eq=False)
class WordVocabulary:
    """Each piece is looked up whole; one that is not there becomes `unk_id`."""

    vocabulary: list[bytes | None]
    unk_id: int | None = None

    def __post_init__(self) -> None:
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the pieces and their byte spans (n, 2)."""
        ids = []
        for piece, start, _ in texts_of(pieces):
            id = self.ids.get(piece.encode(), self.unk_id)
            if id is None:
                raise unknown(piece, start)
            ids.append(id)
        return np.array(ids, np.int32), pieces.spans.astype(np.int64)


@dataclass(eq=False)
class CharacterBPE:
    """BPE of the characters of words (Sennrich et al. 2016).

    `suffix` marks the last character of a word, so that a token that ends a word differs from the
    same letters inside one. merges: (left, right, merged) ids by rank.
    """

    vocabulary: list[bytes | None]
    merges: np.ndarray
    unk_id: int | None = None
    suffix: str = "</w>"
    dropout: float = 0.0
    rng: random.Random | None = None
    _known: dict = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}
        self.ranks = {
            (left, right): (rank, merged)
            for rank, (left, right, merged) in reversed(list(enumerate(self.merges.tolist())))
        }

    def symbols(self, word: str, position: int = 0) -> list[int]:
        """Ids of the characters of a word before any merge."""
        ids = []
        for k, character in enumerate(word):
            mark = self.suffix if k == len(word) - 1 else ""
            id = self.ids.get((character + mark).encode(), self.unk_id)
            if id is None:
                raise unknown(character + mark, position)
            ids.append(id)
        return ids

    def encode_word(self, word: str, position: int = 0) -> tuple[list[int], list[int]]:
        """Ids of a word, and how many bytes of it each covers."""
        ids = apply_merges(self.symbols(word, position), self.ranks, self.dropout, self.rng)
        widths, at = [], 0
        for id in ids:
            length = 1
            if id != self.unk_id:
                token = (self.vocabulary[id] or b"").decode()
                length = len(token.removesuffix(self.suffix) or token)
            widths.append(len(word[at : at + length].encode()))
            at += length
        return ids, widths

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the words and their byte spans (n, 2)."""
        ids: list[int] = []
        spans = []
        for word, start, _ in texts_of(pieces):
            found = self._known.get(word)
            if found is None or self.dropout:
                found = self.encode_word(word, start)
                if len(self._known) < 1 << 16:
                    self._known[word] = found
            ids += found[0]
            for width in found[1]:
                spans.append((start, start + width))
                start += width
        return np.array(ids, np.int32), np.array(spans, np.int64).reshape(-1, 2)


def most_frequent(counts: Counter[str], room: int) -> list[str]:
    """The `room` most frequent strings; among equals the smaller string."""
    return sorted(counts, key=lambda token: (-counts[token], token))[:room]
