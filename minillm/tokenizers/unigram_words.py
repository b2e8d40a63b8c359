"""What unigram training reads: different words with their counts, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

END = "\0"  # what follows the last character of a text
SPACE_MARK = "▁"


class Words:
    """Words, one after another, each ended by the symbol that follows it in the text.

    text: (n,) int32, indices from 1 on into `alphabet`, the code points in order; index 0 is none.
    offsets: (words + 1,) where each begins; the symbol before ``offsets[w + 1]`` is its follower.
    counts: (words,) int64, how often each occurs, followed by that.
    """

    def __init__(self, points: np.ndarray, offsets: np.ndarray, counts: np.ndarray):
        seen = np.zeros(0x110000, np.bool_)
        seen[points] = True
        self.alphabet = np.concatenate([[0], np.flatnonzero(seen)]).astype(np.int32)
        self.text = np.cumsum(seen, dtype=np.int32)[points]
        self.offsets = np.asarray(offsets, np.int64)
        self.counts = np.asarray(counts, np.int64)
        self.last = np.zeros(len(self.text), np.bool_)
        self.last[self.offsets[1:] - 1] = True
        lengths = np.diff(self.offsets)
        self.word_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        self.stops = self.offsets[1:][self.word_of]

    @classmethod
    def of(
        cls, words: Sequence[str], counts: Sequence[int], followers: Sequence[str] | None = None
    ) -> Words:
        """From strings; `followers` are single characters, END by default."""
        ended = [word + end for word, end in zip(words, followers or [END] * len(words))]
        points = np.frombuffer("".join(ended).encode("utf-32-le"), np.uint32)
        offsets = np.concatenate([[0], np.cumsum([len(word) for word in ended], dtype=np.int64)])
        return cls(points, offsets, np.asarray(counts))

    @classmethod
    def of_bytes(cls, data: np.ndarray, offsets: np.ndarray, counts: np.ndarray) -> Words:
        """From UTF-8 words whose last byte is the first of what follows: 0xE2 for ▁, else 0."""
        ends = offsets[1:] - 1
        closed = data[ends] == 0xE2
        width = np.ones(len(data), np.int64)
        width[ends[closed]] = 3
        wide = np.repeat(data, width)
        first = (np.cumsum(width) - width)[ends[closed]]
        wide[first + 1], wide[first + 2] = 0x96, 0x81
        points = np.frombuffer(wide.tobytes().decode().encode("utf-32-le"), np.uint32)
        starts = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])
        return cls(points, starts[offsets], counts)

    @classmethod
    def closed(cls, data: np.ndarray, offsets: np.ndarray, counts: np.ndarray) -> Words:
        """From UTF-8 words that each stand alone."""
        ended = np.insert(data, offsets[1:], 0)
        return cls.of_bytes(ended, offsets + np.arange(len(offsets)), counts)

    def character_counts(self) -> np.ndarray:
        """How often each entry of the alphabet stands in words."""
        inside = ~self.last
        weights = self.counts[self.word_of[inside]].astype(np.float64)
        size = len(self.alphabet)
        return np.bincount(self.text[inside], weights, size).astype(np.int64)

    def strings(self) -> tuple[list[str], list[int], list[str]]:
        """(words, counts, followers) as ``learn_pieces`` reads them."""
        letters = self.characters
        words = ["".join(letters[c] for c in self.text[i:j]) for i, j in pairwise(self.offsets)]
        return [w[:-1] for w in words], self.counts.tolist(), [w[-1] for w in words]

    @cached_property
    def characters(self) -> list[str]:
        """The alphabet as characters."""
        return [chr(point) for point in self.alphabet.tolist()]

    def piece(self, place: int, size: int) -> str:
        """The `size` characters at position `place`."""
        return "".join([self.characters[c] for c in self.text[place : place + size].tolist()])


def sorted_suffixes(words: Words, length: int) -> np.ndarray:
    """Positions of the text in the order of what begins there, `length` symbols of the word.

    Prefix doubling (Manber and Myers 1993): two ranks of k symbols order 2k symbols.
    """
    from ..kernels.text_suffixes import first_keys, longer_keys, ranks_of

    bits = len(words.alphabet).bit_length()
    known = 64 // bits
    keys = np.empty(len(words.text), np.uint64)
    ranks = np.empty(len(words.text), np.int32)
    first_keys(words.text, words.last, bits, known, keys)
    order = np.argsort(keys)
    while known < length and ranks_of(order, keys, ranks) < len(order):
        longer_keys(ranks, words.stops, known, keys)
        order = np.argsort(keys)
        known *= 2
    return order


def words_of_lines(data: np.ndarray, lines: np.ndarray) -> Words:
    """The different words of the lines (n, 2) of `data`; a word begins at every ▁.

    A word counts once for each of what can follow it, the next ▁ or the end of the line.
    """
    from .counting import PieceCounter

    joined, spans = spans_of_words(data, lines)
    counter = PieceCounter("given")
    counter.add(joined, spans + np.array([0, 1]))
    counts = counter.counts()
    offsets = counter.starts[: len(counts) + 1]
    return Words.of_bytes(counter.stored[: offsets[-1]], offsets, counts)


def spans_of_words(data: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lines (n, 2), with a NUL after each, and the spans of their words."""
    from ..kernels.text_marks import word_spans

    size = int((lines[:, 1] - lines[:, 0]).sum())
    joined = np.empty(size + len(lines), np.uint8)
    spans = np.empty((size // 3 + len(lines), 2), np.int64)
    found = word_spans(data, np.ascontiguousarray(lines), joined, spans)
    return joined, spans[:found]
