"""A dictionary of words with frequencies, and the best way through the words of a sentence.

The rules are those of jieba 0.42.1, so that with its dictionary the words are the same.
``Dictionary.lattice`` and ``Dictionary.route`` are the definition.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..backends import active_backend
from ..tokenizers.formats.untrusted import BrokenFileError, read_text

MAX_COUNT = 1 << 53
MAX_WORD = 256  # characters


class Dictionary:
    """Words and how often each occurs.

    frequencies: word -> count; a string that only begins words is there with 0. total: the sum.
    """

    def __init__(self, counts: Mapping[str, int], total: int | None = None):
        self.frequencies: dict[str, int] = {}
        for word, count in counts.items():
            if not word or count < 0:
                raise ValueError(f"counts has {word!r}: {count}; expected a word and a count >= 0")
            self.frequencies[word] = count
            for n in range(1, len(word)):
                self.frequencies.setdefault(word[:n], 0)
        for word, count in counts.items():  # a word that was met as a beginning first
            self.frequencies[word] = count
        self.total = sum(counts.values()) if total is None else total
        if self.total < 1:
            raise ValueError("counts are all 0; expected at least one word that occurs")
        self._trie: Any = None

    @classmethod
    def from_counts(cls, counts: Mapping[str, int] | Iterable[tuple[str, int]]) -> Dictionary:
        """From pairs of word and count, or a dict of them."""
        return cls(dict(counts))

    @classmethod
    def from_sentences(cls, sentences: Iterable[Sequence[str]]) -> Dictionary:
        """From sentences that are already cut into words."""
        return cls(Counter(word for sentence in sentences for word in sentence))

    @classmethod
    def load(cls, path: str | Path) -> Dictionary:
        """From a file of jieba's format: lines ``word count`` or ``word count tag``."""
        return cls(*read_counts(Path(path)))

    def __contains__(self, word: str) -> bool:
        return self.frequencies.get(word, 0) > 0

    def __len__(self) -> int:
        return sum(count > 0 for count in self.frequencies.values())

    def log_probability(self, word: str) -> float:
        """log(count / total); a word that is not there counts as one occurrence."""
        return math.log(self.frequencies.get(word) or 1) - math.log(self.total)

    def lattice(self, text: str) -> list[list[int]]:
        """For each character the ends of the words that begin there, in ascending order.

        Where no word begins, the character is a word by itself.

        >>> Dictionary({"南京": 9, "南京市": 5, "市长": 4}).lattice("南京市长")
        [[2, 3], [2], [4], [4]]
        """
        ends = []
        for start in range(len(text)):
            found = []
            for end in range(start + 1, len(text) + 1):
                if text[start:end] not in self.frequencies:
                    break
                if self.frequencies[text[start:end]]:
                    found.append(end)
            ends.append(found or [start + 1])
        return ends

    def route(self, text: str) -> list[int]:
        """For each character, where the word that begins there ends on the best way to the end.

        The best way has the greatest sum of log-probabilities; among equals the longer word.
        """
        ends = self.lattice(text)
        best, end_of = [0.0] * (len(text) + 1), [0] * len(text)
        for start in reversed(range(len(text))):
            best[start], end_of[start] = max(
                (self.log_probability(text[start:end]) + best[end], end) for end in ends[start]
            )
        return end_of

    def best_words(self, text: str) -> list[str]:
        """The words of the best way through the lattice."""
        end_of, words, start = self.routes([text])[0], [], 0
        while start < len(text):
            words.append(text[start : end_of[start]])
            start = end_of[start]
        return words

    def routes(self, texts: Sequence[str]) -> list[list[int]]:
        """``route`` of many texts."""
        if active_backend() != "numba":
            return [self.route(text) for text in texts]
        from .lattice_kernel import routes

        if self._trie is None:
            self._trie = self._build()
        data = np.frombuffer("".join(texts).encode("utf-8", "surrogatepass"), np.uint8)
        places = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data)).astype(np.int64)
        edges = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        end_of = np.empty(len(places) - 1, np.int32)
        routes(
            data, places, edges, self._trie.units, -math.log(self.total),
            np.empty(len(places)), end_of,
        )
        flat = end_of.tolist()
        return [flat[i:j] for i, j in pairwise(edges.tolist())]

    def _build(self) -> Any:
        from ..tokenizers.bytepiece.trie import Trie

        words = [word for word, count in self.frequencies.items() if count]
        tokens = sorted((word.encode(), self.log_probability(word)) for word in words)
        trie = Trie([token for token, _ in tokens], np.arange(len(tokens), dtype=np.int32))
        trie.set_scores(np.array([score for _, score in tokens]))
        return trie


def read_counts(path: Path) -> tuple[dict[str, int], int]:
    """The words of a file and the sum of all counts in it."""
    counts: dict[str, int] = {}
    total = 0
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) not in (2, 3) or not parts[1].isascii() or not parts[1].isdigit():
            raise BrokenFileError(
                f"{path}: line {number} is {line!r:.60}; expected a word, its count, and "
                "perhaps a tag (with_user_words reads words without counts)"
            )
        if len(parts[1]) > 16 or len(parts[0]) > MAX_WORD:
            raise BrokenFileError(f"{path}: line {number}: a count or a word too long")
        counts[parts[0]] = int(parts[1])
        total += int(parts[1])
    if not 0 < total < MAX_COUNT:
        raise BrokenFileError(f"{path}: all counts together are {total}; expected 1 to 2^53")
    return counts, total
