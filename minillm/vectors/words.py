"""Words and their vectors, asked by word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .neighbours import analogy, cosine, nearest


class WordVectors:
    """A vector for each word.  vectors: (V, C), in the order of ``words``."""

    def __init__(self, words: Sequence[str], vectors):
        self.words, self.vectors = list(words), np.asarray(vectors)
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words):
            raise ValueError(f"vectors has shape {self.vectors.shape}; expected a row for each of "
                             f"the {len(self.words)} words")
        self.index = {word: i for i, word in enumerate(self.words)}
        if len(self.index) < len(self.words):
            twice = next(w for i, w in enumerate(self.words) if self.index[w] != i)
            raise ValueError(f"words holds {twice!r} twice; expected different words")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> np.ndarray:
        return self.vectors[self.place(word)]

    def place(self, word: str) -> int:
        """The row of a word, or a KeyError that names it."""
        if word not in self.index:
            raise KeyError(f"word={word!r} has no vector: it was not among the words, or too rare")
        return self.index[word]

    def similarity(self, a: str, b: str) -> float:
        """The cosine of two words' vectors."""
        return float(cosine(self[a], self[b]))

    def nearest(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words whose vectors have the greatest cosine with that of ``word``, best first."""
        i = self.place(word)
        return self.named(*nearest(self.vectors, self.vectors[i], count, (i,)))

    def analogy(self, a: str, b: str, c: str, count: int = 1) -> list[tuple[str, float]]:
        """a is to b as c is to …, best first; see :func:`minillm.vectors.analogy`."""
        i, j, k = map(self.place, (a, b, c))
        return self.named(*analogy(self.vectors, i, j, k, count))

    def named(self, rows, scores) -> list[tuple[str, float]]:
        return [(self.words[i], float(s)) for i, s in zip(rows, scores, strict=True)]
