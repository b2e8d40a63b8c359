"""Twins of :mod:`minillm.ops.affine`."""

from __future__ import annotations

import numpy as np

from .arrays import PARTS, apart, by_rows, rows
from .compiling import OPTIONS, njit


def add_bias(y, b):
    flat = rows(y)
    by_rows(_add_bias, (flat,), apart(b, y))
    if not np.may_share_memory(flat, y):
        y[...] = flat.reshape(y.shape)


def sum_rows(dy, db):
    dy = rows(dy)
    sums = np.zeros((PARTS, dy.shape[1]), dy.dtype)
    by_rows(_sum_rows, (np.arange(PARTS), sums), dy, numbers=dy.size)
    db += sums.sum(axis=0)


@njit(**OPTIONS)
def _add_bias(y, b):
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] += b[j]


@njit(**OPTIONS)
def _sum_rows(parts, sums, dy):
    N = dy.shape[0]
    for p in range(parts.size):
        part = dy[parts[p] * N // PARTS:(parts[p] + 1) * N // PARTS]
        for i in range(part.shape[0]):
            for j in range(part.shape[1]):
                sums[p, j] += part[i, j]
