"""Twins of :mod:`minillm.ops.recurrence`: all that a step does, row by row."""

from __future__ import annotations

import numpy as np

from .arrays import by_rows
from .compiling import OPTIONS, njit
from .exponential import tanh


def lstm_step(a, c_before, c, h):
    by_rows(_lstm_step, (a, c_before, c, h))


def lstm_step_backward(dh, dc, gates, c_before, c, dc_before):
    by_rows(_lstm_step_backward, (gates, dh, dc, c_before, c, dc_before))


@njit(**OPTIONS)
def _lstm_step(a, c_before, c, h):
    H = c.shape[1]
    one, half = a.dtype.type(1), a.dtype.type(0.5)
    for b in range(c.shape[0]):
        for j in range(4 * H):  # σ(x) = (1 + tanh(x/2)) / 2
            gate = j < 2 * H or j >= 3 * H
            y = tanh(half * a[b, j] if gate else a[b, j], one)
            a[b, j] = half + half * y if gate else y
        for j in range(H):
            c[b, j] = a[b, H + j] * c_before[b, j] + a[b, j] * a[b, 2 * H + j]
            h[b, j] = a[b, 3 * H + j] * tanh(c[b, j], one)


@njit(**OPTIONS)
def _lstm_step_backward(gates, dh, dc, c_before, c, dc_before):
    H = c.shape[1]
    one = gates.dtype.type(1)
    # Short loops: one that touches so many arrays does not become vector instructions, since the
    # compiler would have to make sure that what it writes overlaps none of the others.
    y, d = np.empty(H, gates.dtype), np.empty(H, gates.dtype)
    for b in range(c.shape[0]):
        i, f, g, o = gates[b, :H], gates[b, H:2 * H], gates[b, 2 * H:3 * H], gates[b, 3 * H:]
        for j in range(H):
            y[j] = tanh(c[b, j], one)
        for j in range(H):
            d[j] = dc[b, j] + dh[b, j] * o[j] * (one - y[j] * y[j])
        for j in range(H):
            o[j] *= dh[b, j] * y[j] * (one - o[j])
        for j in range(H):
            dc_before[b, j] += d[j] * f[j]
        for j in range(H):
            f[j] *= d[j] * c_before[b, j] * (one - f[j])
        for j in range(H):
            di = d[j] * g[j] * i[j] * (one - i[j])
            g[j] = d[j] * i[j] * (one - g[j] * g[j])
            i[j] = di
