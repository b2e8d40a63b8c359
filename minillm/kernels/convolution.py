"""Twins of :mod:`minillm.ops.convolution`. What looks back is copied as fast by NumPy."""

from __future__ import annotations

import numpy as np

from .arrays import apart, by_rows, deliver, rows
from .compiling import OPTIONS, njit
from .exponential import tanh


def gated(x, out=None):
    x = rows(given := apart(x, out))
    y = np.empty((*given.shape[:-1], x.shape[1] // 2), x.dtype)
    y = out if out is not None and out.flags.c_contiguous else y
    by_rows(_gated, (x, y.reshape(len(x), -1)))
    return deliver(y, out)


def gated_backward(dy, x, out=None):
    dy = apart(dy, out)
    dx = out if out is not None and out.flags.c_contiguous else np.empty(x.shape, x.dtype)
    if dx is not x:
        dx[...] = x
    by_rows(_gated_backward, (dx.reshape(-1, x.shape[-1]), rows(dy)))
    return deliver(dx, out)


@njit(**OPTIONS)
def _gated(x, y):
    F = y.shape[1]
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    for i in range(y.shape[0]):
        for j in range(F):
            s = half + half * tanh(half * x[i, F + j], one)
            y[i, j] = tanh(x[i, j], one) * s


@njit(**OPTIONS)
def _gated_backward(x, dy):
    F = dy.shape[1]
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    for i in range(dy.shape[0]):
        for j in range(F):
            t, s = tanh(x[i, j], one), half + half * tanh(half * x[i, F + j], one)
            x[i, j] = dy[i, j] * (one - t * t) * s
            x[i, F + j] = dy[i, j] * t * s * (one - s)
