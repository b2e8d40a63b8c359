"""Twins of :mod:`minillm.ops.activation`."""

from __future__ import annotations

import numpy as np

from .arrays import apart, by_rows, start_from
from .compiling import OPTIONS, njit
from .exponential import tanh

ROOT = 0.7978845608028654
CUBIC = 0.044715


def gelu(x, out=None):
    x = np.ascontiguousarray(apart(x, out))
    y = out if out is not None and out.flags.c_contiguous else np.empty_like(x)
    by_rows(_gelu, (x.reshape(-1), y.reshape(-1)))
    return _deliver(y, out)


def gelu_backward(dy, x, out=None):
    x = np.ascontiguousarray(apart(x, out))
    dx = start_from(dy, out if out is not None and out.flags.c_contiguous else None)
    by_rows(_gelu_backward, (dx.reshape(-1), x.reshape(-1)))
    return _deliver(dx, out)


def _deliver(result, out):
    """The result, copied into ``out`` where that is another array."""
    if out is not None and out is not result:
        out[...] = result
        return out
    return result


@njit(**OPTIONS)
def _gelu(x, y):
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    root, cubic = x.dtype.type(ROOT), x.dtype.type(CUBIC)
    for i in range(x.size):
        v = x[i]
        y[i] = half * v * (one + tanh(root * (v + cubic * v * v * v), one))


@njit(**OPTIONS)
def _gelu_backward(d, x):
    one, half, three = x.dtype.type(1), x.dtype.type(0.5), x.dtype.type(3)
    root, cubic = x.dtype.type(ROOT), x.dtype.type(CUBIC)
    for i in range(x.size):
        v = x[i]
        t = tanh(root * (v + cubic * v * v * v), one)
        du = root * (one + three * cubic * v * v)
        d[i] *= half * (one + t) + half * v * (one - t * t) * du
