"""What tells the scores of the next token: a model, with a memory of earlier tokens or without.

A scorer is called with texts, lists of ids, and gives a row of scores for each, (B, V). The model
sees at most ``context`` tokens. When a text grows longer, its beginning is forgotten half a
context at a time, so that the key-value cache is rebuilt rarely; its first ``keep`` tokens, such
as a title, stay. Both scorers forget at the same places and give the same scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Each (model) -> an object whose ``extend(token, cache)`` does what the model's does for one token
# of one row, or None if it does not know the model.
FAST: list[Callable[[Any], Any]] = []


def forgotten(length: int, context: int, keep: int = 0) -> int:
    """How many tokens, after the first ``keep``, the model no longer sees of so long a text."""
    hop = max((context - keep) // 2, 1)
    return -(-max(length - context, 0) // hop) * hop


def scorer_of(model, cache: bool = True, keep: int = 0):
    """A scorer for one generation, with a replica of the model whose buffers belong to it."""
    own = model.replica()
    return (Cached if cache and hasattr(own, "new_cache") else Uncached)(own, keep)


class Uncached:
    """Scores from scratch every time."""

    def __init__(self, model, keep: int = 0):
        self.model, self.keep = model, keep

    def __call__(self, rows):
        context, keep = self.model.config.context, self.keep
        seen = [row[:keep] + row[keep + forgotten(len(row), context, keep):] for row in rows]
        ids = np.zeros((len(rows), max(map(len, seen))), np.int64)
        for i, row in enumerate(seen):
            ids[i, :len(row)] = row  # padding on the right: no real token looks at it
        logits = self.model.forward(ids)
        return logits[np.arange(len(rows)), [len(row) - 1 for row in seen]]

    def follow(self, parents: list[int]) -> None:
        """From now on row i continues what was row ``parents[i]``."""
        if hasattr(self.model, "follow"):  # a model whose rows differ in more than their texts
            self.model.follow(parents)


class Cached:
    """The same scores, with the keys and values of earlier tokens remembered.

    Each call must give the texts of the call before, longer by one token each; ``follow`` says
    otherwise.
    """

    def __init__(self, model, keep: int = 0):
        self.model, self.keep = model, keep
        self.fast = next(filter(None, (known(model) for known in FAST)), None)
        self.left: list[int] = []  # tokens of each text that are forgotten
        self.cache: list = []
        self.padding = np.zeros(0, np.int64)

    def __call__(self, rows):
        context, keep = self.model.config.context, self.keep
        left = [forgotten(len(row), context, keep) for row in rows]
        if left != self.left:
            self.left = left
            return self.begin([row[:keep] + row[keep + gone:]
                               for row, gone in zip(rows, left, strict=True)])
        if self.fast is not None and len(rows) == 1:
            return self.fast.extend(rows[0][-1], self.cache)
        return self.model.extend(np.array([row[-1:] for row in rows]), self.cache, self.padding)

    def begin(self, seen):
        """Read the texts from their beginning, into an empty cache."""
        width = max(map(len, seen))
        self.padding = np.array([width - len(row) for row in seen])
        ids = np.zeros((len(seen), width), np.int64)
        for i, row in enumerate(seen):
            ids[i, width - len(row):] = row  # padding on the left: new tokens line up
        self.cache = self.model.new_cache(len(seen))
        return self.model.extend(ids, self.cache, self.padding)

    def follow(self, parents: list[int]) -> None:
        """See Uncached."""
        if parents != list(range(len(self.left))):
            self.left = [self.left[p] for p in parents]
            self.padding = self.padding[parents]
            for part in self.cache:
                part.select(parents)
            self.fast = None  # it needs all layers in one array, as new_cache makes it, no padding
