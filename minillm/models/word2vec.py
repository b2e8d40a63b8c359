"""word2vec: vectors of words, learned from the words around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from .. import ops
from ..checks import check, is_positive
from ..ops.negative_samples import windows
from ..vectors import WordVectors
from .settings import switches, whole_numbers
from .word_windows import WordWindows

LANES = 16  # numbers: rows are filled up to a multiple of it, with zeros that stay zeros


@dataclass(frozen=True)
class Word2VecConfig:
    """How word2vec learns; its authors' values, unless said otherwise.

    width: numbers in a vector (C). window: how far to look to both sides, at most; at each place
    it is drawn from 1 to window. negatives: words drawn at each place (K). cbow: whether the mean
    of the neighbours predicts (CBOW), or each of them alone (skip-gram). subsample: share of the
    text above which a word is often left out, or None. least: words that occur less often have no
    vector. lr: the rate of the first step; it falls in a straight line to nothing. None: 0.025,
    and 0.075 for CBOW, whose gradient is shared among the neighbours.
    """

    width: int = 100
    window: int = 5
    negatives: int = 5
    cbow: bool = False
    subsample: float | None = 1e-3
    least: int = 5
    epochs: int = 5
    lr: float | None = None

    def __post_init__(self):
        whole_numbers(self, "width", "window", "negatives", "least", "epochs")
        switches(self, "cbow")
        for name in ("subsample", "lr"):
            value = getattr(self, name)
            check(name, value, value is None or is_positive(value), "a positive number, or None")


class Word2Vec:
    """Two vectors for each word: ``inputs`` of those that look, ``outputs`` of those looked for.

    documents: lists of words. One seed always gives the same vectors: everything runs in one
    thread, place after place.
    Sources: Mikolov et al. (2013), Efficient estimation of word representations in vector space;
    Distributed representations of words and phrases and their compositionality.
    """

    def __init__(self, documents: Iterable[Sequence[str]],
                 config: Word2VecConfig | None = None, seed: int = 0, dtype=np.float32):
        self.config = c = config or Word2VecConfig()
        self.text = WordWindows(documents, c.least, c.subsample, c.window, c.negatives)
        self.rng = np.random.default_rng(seed)
        shape = len(self.text.words), -(-c.width // LANES) * LANES
        self._inputs, self._outputs = np.zeros(shape, dtype), np.zeros(shape, dtype)
        self.inputs[:] = (self.rng.random(self.inputs.shape) - 0.5) / c.width

    @property
    def inputs(self) -> np.ndarray:
        return self._inputs[:, :self.config.width]

    @property
    def outputs(self) -> np.ndarray:
        return self._outputs[:, :self.config.width]

    @property
    def vectors(self) -> WordVectors:
        """A copy of the vectors of the words that look, by word; the most frequent first."""
        return WordVectors(self.text.words, self.inputs.copy())

    def train(self, progress: bool = False) -> Word2Vec:
        """Go through the text ``config.epochs`` times; returns itself."""
        c, text = self.config, self.text
        step = ops.bag_of_neighbours if c.cbow else ops.skip_gram
        total, lr = c.epochs * len(text.ids), c.lr or (0.075 if c.cbow else 0.025)
        with tqdm(total=total, unit="word", unit_scale=True, disable=not progress) as bar:
            for _ in range(c.epochs):
                for first, end in text.chunks():
                    places, *drawn = text.draw(first, end, self.rng)
                    rates = lr * (1 - (bar.n + places) / total)
                    step(self._inputs, self._outputs, *drawn, rates.astype(self._inputs.dtype))
                    bar.n += int(text.start[end] - text.start[first])
                    bar.refresh()
        return self

    def loss(self, seed: int = 0, most: int = 10_000) -> float:
        """Mean loss of a prediction (1 true and K drawn words) in the first documents.

        One seed draws the same words to be told from each time; ``most``: places to look at.
        """
        total, count = 0.0, 0
        end = max(int(np.searchsorted(self.text.start, most, side="right")) - 1, 1)
        _, *drawn = self.text.draw(0, end, np.random.default_rng(seed))
        for _, around, words in windows(*drawn):
            x = self.inputs[around]
            x = x.mean(axis=0, keepdims=True) if self.config.cbow else x
            total += ops.negative_sampling(x, self.outputs[words], words)
            count += len(x)
        if not count:
            raise ValueError("no document begins with two words that have vectors, so there is "
                             "nothing to predict; give longer documents")
        return total / count
