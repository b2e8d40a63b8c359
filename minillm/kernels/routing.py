"""Twin of :mod:`minillm.ops.routing`."""

from __future__ import annotations

import numpy as np

from .arrays import by_rows, rows
from .compiling import OPTIONS, njit


def choose(p, k):
    p = rows(p)
    chosen = np.empty((len(p), min(k, p.shape[1])), np.int64)
    by_rows(_choose, (p, chosen))
    return chosen


@njit(**OPTIONS)
def _choose(p, chosen):
    k = chosen.shape[1]
    for n in range(p.shape[0]):
        row, best = p[n], chosen[n]
        for j in range(k):
            winner = -1
            for e in range(row.size):
                if winner >= 0 and not better(row[e], row[winner]):
                    continue
                taken = False
                for i in range(j):
                    taken |= best[i] == e
                if not taken:
                    winner = e
            best[j] = winner


@njit(**OPTIONS)
def better(a, b):
    """Does a come before b, which stands further left? NaN comes last, as NumPy sorts it."""
    return a > b or (b != b and a == a)
