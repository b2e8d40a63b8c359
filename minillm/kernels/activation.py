"""Twins of :mod:`minillm.ops.activation`."""

from __future__ import annotations

import math

import numpy as np

from ..ops.activation import CUBIC, ROOT
from .arrays import apart, by_rows, deliver, start_from
from .compiling import OPTIONS, njit
from .exponential import exp, tail, tanh

FAR = 40  # beyond it Φ(-x) is 0, and ∞ Φ(-∞) would be NaN


def gelu(x, out=None):
    return _apply(_gelu, x, out)


def gelu_backward(dy, x, out=None):
    return _apply_backward(_gelu_backward, dy, x, out)


def gelu_exact(x, out=None):
    return _apply(_gelu_exact, x, out)


def gelu_exact_backward(dy, x, out=None):
    return _apply_backward(_gelu_exact_backward, dy, x, out)


def silu(x, out=None):
    return _apply(_silu, x, out)


def silu_backward(dy, x, out=None):
    return _apply_backward(_silu_backward, dy, x, out)


def _apply(kernel, x, out):
    x = np.ascontiguousarray(apart(x, out))
    y = out if out is not None and out.flags.c_contiguous else np.empty_like(x)
    by_rows(kernel, (x.reshape(-1), y.reshape(-1)))
    return deliver(y, out)


def _apply_backward(kernel, dy, x, out):
    x = np.ascontiguousarray(apart(x, out))
    dx = start_from(dy, out if out is not None and out.flags.c_contiguous else None)
    by_rows(kernel, (dx.reshape(-1), x.reshape(-1)))
    return deliver(dx, out)


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


@njit(**OPTIONS)
def _gelu_exact(x, y):
    """x Φ(x) = max(x, 0) - |x| Φ(-|x|): where Φ(x) is nearly 1, nothing of it is rounded away."""
    zero, half, far = x.dtype.type(0), x.dtype.type(0.5), x.dtype.type(FAR)
    for i in range(x.size):
        v = x[i]
        a = abs(v)
        y[i] = (v if v > zero else zero) - abs(min(v, far)) * tail(a, exp(-half * v * v))


@njit(**OPTIONS)
def _gelu_exact_backward(d, x):
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    density = x.dtype.type(1 / math.sqrt(2 * math.pi))
    for i in range(x.size):
        v = x[i]
        bell = exp(-half * v * v)
        beyond = tail(abs(v), bell)
        d[i] *= (one - beyond if v > 0 else beyond) + v * density * bell


@njit(**OPTIONS)
def _silu(x, y):
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    for i in range(x.size):
        y[i] = x[i] * half * (one + tanh(half * x[i], one))


@njit(**OPTIONS)
def _silu_backward(d, x):
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    for i in range(x.size):
        s = half * (one + tanh(half * x[i], one))
        d[i] *= s * (one + x[i] * (one - s))
