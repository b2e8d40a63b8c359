"""Twins of :mod:`minillm.ops.affine`."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from .arrays import OPTIONS, PARTS, rows


def add_bias(y, b):
    flat = rows(y)
    _add_bias(flat, b)
    if not np.may_share_memory(flat, y):
        y[...] = flat.reshape(y.shape)


def sum_rows(dy, db):
    db += _sum_rows(rows(dy))


@njit(**OPTIONS)
def _add_bias(y, b):
    for i in prange(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] += b[j]


@njit(**OPTIONS)
def _sum_rows(dy):
    N, F = dy.shape
    parts = np.zeros((PARTS, F), dy.dtype)
    for p in prange(PARTS):
        for i in range(p * N // PARTS, (p + 1) * N // PARTS):
            for j in range(F):
                parts[p, j] += dy[i, j]
    return parts.sum(axis=0)
