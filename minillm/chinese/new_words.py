"""Finding words that no dictionary has: strings that hold together and stand among many others.

Cohesion compares how often a string occurs with how often its parts would meet by chance; the
entropies of its left and right neighbours say how freely it is used. ``statistics`` is the
definition, ``statistics_fast`` does the same with sorted numbers.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from typing import NamedTuple

import numpy as np

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")


class NewWord(NamedTuple):
    """A string, how often it occurs, and what speaks for it, in nats."""

    word: str
    occurrences: int
    cohesion: float
    left_entropy: float
    right_entropy: float

    @property
    def score(self) -> float:
        """Cohesion and the smaller entropy together."""
        return self.cohesion + min(self.left_entropy, self.right_entropy)


def runs(texts: Iterable[str]) -> list[str]:
    """The runs of ideographs in texts; words do not cross what lies between them."""
    return [run for text in texts for run in HAN.findall(text)]


def entropy(neighbours: Counter[str], edges: int) -> float:
    """Entropy of what stands beside a string; each end of a run counts as a neighbour of its own.

    H = -sum p log p, with p the share of each neighbour.
    """
    total = neighbours.total() + edges
    shares = [count / total for count in neighbours.values()] + [1 / total] * edges
    return sum(-p * math.log(p) for p in shares)


def cohesion(word: str, counts: Counter[str], total: int) -> float:
    """The least of log p(word) / (p(left) p(right)) over all ways to cut the word in two."""
    return min(
        math.log(counts[word] * total / (counts[word[:k]] * counts[word[k:]]))
        for k in range(1, len(word))
    )


def statistics(texts: Iterable[str], longest: int = 4, min_count: int = 5) -> list[NewWord]:
    """All strings of 2 to `longest` characters that occur often enough, in the order of strings."""
    counts: Counter[str] = Counter()
    before: dict[str, Counter[str]] = defaultdict(Counter)
    after: dict[str, Counter[str]] = defaultdict(Counter)
    parts = runs(texts)
    for run in parts:
        for i in range(len(run)):
            for j in range(i + 1, min(i + longest, len(run)) + 1):
                counts[run[i:j]] += 1
                before[run[i:j]].update(run[i - 1 : i] if i else ())
                after[run[i:j]].update(run[j : j + 1])
    total = sum(map(len, parts))
    return [
        NewWord(
            word, counts[word], cohesion(word, counts, total),
            entropy(before[word], counts[word] - before[word].total()),
            entropy(after[word], counts[word] - after[word].total()),
        )
        for word in sorted(counts) if len(word) > 1 and counts[word] >= min_count
    ]


def statistics_fast(texts: Iterable[str], longest: int = 4, min_count: int = 5) -> list[NewWord]:
    """The same from numbers: each string of n characters is (string of n - 1, last character)."""
    parts = runs(texts)
    text = "\n" + "\n".join(parts) + "\n"  # a line feed on each side of every run
    codes = np.frombuffer(text.encode("utf-32-le"), np.int32)
    letters, symbols = np.unique(codes, return_inverse=True)
    inside = codes != 10
    ids = [symbols.astype(np.int64)]  # ids[n - 1][i]: number of the string of n at place i
    counts = [np.bincount(ids[0])]
    places = [np.flatnonzero(inside)]
    found: list[NewWord] = []
    for n in range(2, longest + 1):
        here = places[-1][inside[places[-1] + n - 1]]
        key = ids[-1][here] * len(letters) + symbols[here + n - 1]
        _, first, number, count = np.unique(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        ids.append(np.full(len(codes), -1))
        ids[-1][here] = number
        counts.append(count)
        places.append(here)
        found += rows(text, ids, counts, here, first, symbols, int(inside.sum()), min_count)
    return sorted(found)


def rows(
    text: str, ids: list[np.ndarray], counts: list[np.ndarray], here: np.ndarray,
    first: np.ndarray, symbols: np.ndarray, total: int, min_count: int,
) -> list[NewWord]:
    """Statistics of the strings of n = len(ids) characters; first: an occurrence of each."""
    n, count = len(ids), counts[-1]
    number = ids[-1][here]
    left = neighbour_entropy(number, symbols[here - 1], symbols[0], count)
    right = neighbour_entropy(number, symbols[here + n], symbols[0], count)
    at = here[first]
    parts = [
        counts[k - 1][ids[k - 1][at]] * counts[n - k - 1][ids[n - k - 1][at + k]]
        for k in range(1, n)
    ]
    held = np.log(count * total / np.max(parts, axis=0))
    return [
        NewWord(
            text[at[k] : at[k] + n], int(count[k]), float(held[k]), float(left[k]), float(right[k])
        )
        for k in np.flatnonzero(count >= min_count).tolist()
    ]


def neighbour_entropy(
    number: np.ndarray, neighbour: np.ndarray, edge: int, count: np.ndarray
) -> np.ndarray:
    """Entropy of the neighbours of each string; every `edge` is a neighbour of its own."""
    size = int(neighbour.max(initial=0)) + 1
    pairs, seen = np.unique(number * size + neighbour, return_counts=True)
    string = pairs // size
    p = seen / count[string]
    part = np.where(pairs % size == edge, p * np.log(count[string]), -p * np.log(p))
    return np.bincount(string, part, len(count))


def find_words(
    texts: Iterable[str], known: Container[str] = (), longest: int = 4, min_count: int = 5,
    min_cohesion: float = 3.0, min_entropy: float = 0.9,
) -> list[NewWord]:
    """Strings that pass all three thresholds and are not `known`, the best first.

    min_cohesion and min_entropy: in nats; the smaller of the two entropies counts.
    """
    found = [
        row for row in statistics_fast(texts, longest, min_count)
        if row.cohesion >= min_cohesion and row.word not in known
        and min(row.left_entropy, row.right_entropy) >= min_entropy
    ]
    return sorted(found, key=lambda row: (-row.score, row.word))
