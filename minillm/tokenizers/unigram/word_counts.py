"""What unigram training reads: different words with their counts, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

END = "\0"  # what follows the last character of a text; END + chr(byte) if a line follows
SPACE_MARK = "▁"


class Words:
    """Words, one after another, each ended by the symbol that follows it in the text.

    text: (n,) int32, indices from 1 on into `alphabet`, the code points in order; index 0 is none.
    The end of the text has the point 0, the end of a line before one that begins with byte b the
    point b - 256. offsets: (words + 1,) where each begins; the symbol before ``offsets[w + 1]`` is
    its follower. counts: (words,) int64, how often each occurs, followed by that.
    """

    def __init__(self, points: np.ndarray, offsets: np.ndarray, counts: np.ndarray):
        seen = np.zeros(0x110000 + 256, np.bool_)
        seen[points + 256] = True
        self.alphabet = np.concatenate([[0], np.flatnonzero(seen) - 256]).astype(np.int32)
        self.text = np.cumsum(seen, dtype=np.int32)[points + 256]
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
        """From strings; `followers` are characters, END (the default) or END + chr(byte)."""
        ends = followers or [END] * len(words)
        after = [ord(end[1]) - 256 if end[1:] else ord(end) for end in ends]
        data = "".join(words).encode()
        sizes = [len(word.encode()) for word in words]
        offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        return cls.of_bytes(np.frombuffer(data, np.uint8), offsets, np.asarray(counts), after)

    @classmethod
    def of_bytes(
        cls, data: np.ndarray, offsets: np.ndarray, counts: np.ndarray,
        followers: Sequence[int] | np.ndarray | int = 0,
    ) -> Words:
        """From UTF-8 and the points of what follows each word; by default it stands alone."""
        points = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.int32)
        starts = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])[offsets]
        points = np.insert(points, starts[1:], followers)
        return cls(points, starts + np.arange(len(starts)), counts)

    @property
    def points(self) -> np.ndarray:
        """The alphabet, with 0 for all ends."""
        return np.maximum(self.alphabet, 0)

    def bytes_of(self, places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """How many bytes of UTF-8 the `sizes` characters at `places` have."""
        widths = 1 + (self.alphabet >= 0x80) + (self.alphabet >= 0x800) + (self.alphabet >= 0x10000)
        before = np.concatenate([[0], np.cumsum(widths[self.text])])
        return before[places + sizes] - before[places]

    def character_counts(self) -> np.ndarray:
        """How often each entry of the alphabet stands in words."""
        inside = ~self.last
        weights = self.counts[self.word_of[inside]].astype(np.float64)
        size = len(self.alphabet)
        return np.bincount(self.text[inside], weights, size).astype(np.int64)

    def strings(self) -> tuple[list[str], list[int], list[str]]:
        """(words, counts, followers) as ``learn_pieces`` reads them."""
        rows = [[self.characters[c] for c in self.text[i:j]] for i, j in pairwise(self.offsets)]
        return ["".join(r[:-1]) for r in rows], self.counts.tolist(), [r[-1] for r in rows]

    @cached_property
    def characters(self) -> list[str]:
        """The alphabet as text."""
        return [
            chr(point) if point >= 0 else END + chr(point + 256) for point in self.alphabet.tolist()
        ]

    def piece(self, place: int, size: int) -> str:
        """The `size` characters at position `place`."""
        return "".join([self.characters[c] for c in self.text[place : place + size].tolist()])


def sorted_suffixes(words: Words, length: int) -> np.ndarray:
    """Positions of the text in the order of what begins there, `length` symbols of the word.

    Prefix doubling (Manber and Myers 1993): two ranks of k symbols order 2k symbols.
    """
    from ..text.suffixes_kernel import first_keys, longer_keys, ranks_of

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

    A word counts once for each of what can follow it: the next ▁, or the end of the line and the
    first byte of the next one. There must be no NUL in the lines and no empty line.
    """
    from ..counting.distinct_pieces import PieceCounter

    joined, spans = spans_of_words(data, lines)
    spans[:, 1] += 1 + (joined[spans[:, 1]] == 0)
    counter = PieceCounter("given")
    counter.add(joined, spans)
    stored, offsets, counts = counter.words()
    last = offsets[1:] - 1
    of_line = stored[last - 1] == 0
    followers = np.where(of_line, stored[last].astype(np.int64) - 256, ord(SPACE_MARK))
    followers[followers == -256] = 0
    kept = np.ones(len(stored), np.bool_)
    kept[last] = kept[last[of_line] - 1] = False
    offsets = np.concatenate([[0], np.cumsum(kept)])[offsets]
    return Words.of_bytes(stored[kept], offsets, counts, followers)


def spans_of_words(data: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lines (n, 2), with a NUL after each and one more, and the spans of their words."""
    from ..text.marks_kernel import word_spans

    size = int((lines[:, 1] - lines[:, 0]).sum())
    joined = np.zeros(size + len(lines) + 1, np.uint8)
    spans = np.empty((size // 3 + len(lines), 2), np.int64)
    found = word_spans(data, np.ascontiguousarray(lines), joined, spans)
    return joined, spans[:found]
