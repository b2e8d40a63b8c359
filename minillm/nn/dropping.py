"""Dropout, and what decides in one forward what all layers drop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import ops
from .module import Module


class Drops:
    """What the layers drop in one forward and its backward: each draws a Drop, in their order.

    seed: a whole number of at least 0, or several; the same one drops the same. row: the number of
    the first row in the whole batch, so that its parts drop what the batch in one piece would.
    """

    def __init__(self, seed: int | Sequence[int], row: int = 0):
        several = list(seed) if isinstance(seed, Sequence) and seed else [seed]
        if not all(map(is_count, several)):
            raise ValueError(f"seed={seed!r}: expected a whole number of at least 0, or several")
        if not is_count(row):
            raise ValueError(f"row={row!r}: expected a whole number of at least 0")
        self.rng, self.row = np.random.default_rng(several), int(row)

    def draw(self, rate: float) -> ops.Drop | None:
        """For one layer that drops this share; None if it drops nothing."""
        return ops.Drop(rate, int(self.rng.integers(2**32)), self.row) if rate else None


class Dropout(Module):
    """y = x with a share of its numbers set to 0 and the others grown.  x: (B, ...) -> the same.

    Without ``drops``, as outside of training, y is x. Source: Srivastava et al. (2014), section 4.
    """

    def __init__(self, rate: float = 0.0):
        super().__init__()
        self.rate = check_rate(rate)

    def forward(self, x, drops: Drops | None = None):
        self.drop = None if drops is None else drops.draw(self.rate)
        if self.drop is None:
            return x
        return ops.dropout(x, self.drop, out=self.saved("y", x.shape, x.dtype))

    def backward(self, dy):
        if self.drop is None:
            return dy
        return ops.dropout(dy, self.drop, out=self.scratch("dx", dy.shape, dy.dtype))


def is_count(n) -> bool:
    """Is this a whole number of at least 0?"""
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool) and bool(n >= 0)


def check_rate(dropout: float) -> float:
    """``dropout`` if it is a share that can be dropped, or a clear error."""
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
        raise ValueError(f"dropout={dropout!r}: expected a share of at least 0 and below 1")
    return float(dropout)
