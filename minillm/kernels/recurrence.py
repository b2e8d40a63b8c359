"""Twins of :mod:`minillm.ops.recurrence`: all that a step does to its rows, in one loop."""

from __future__ import annotations

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
    for b in range(c.shape[0]):
        for j in range(H):
            i, f, g, o = (gates[b, j], gates[b, H + j], gates[b, 2 * H + j], gates[b, 3 * H + j])
            y = tanh(c[b, j], one)
            d = dc[b, j] + dh[b, j] * o * (one - y * y)
            dc_before[b, j] += d * f
            gates[b, j] = d * g * i * (one - i)
            gates[b, H + j] = d * c_before[b, j] * f * (one - f)
            gates[b, 2 * H + j] = d * i * (one - g * g)
            gates[b, 3 * H + j] = dh[b, j] * y * o * (one - o)
