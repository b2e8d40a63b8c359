"""Recurrence: a state that each step of time makes from the one before.

Time is the first axis here, so that what belongs to one step lies together; the states have one
step more, the first of which is what they begin from. ``a`` is the part of a step that depends on
its input alone, x_t W + b, one product for all steps: only the product with the state before must
wait for it. Backward is called backpropagation through time (Werbos, 1990).
"""

from __future__ import annotations

import numpy as np

from .. import blas, threads
from ..backends import twin
from .activation import sigmoid
from .products import ENOUGH, add_transposed_product, product

ROWS = 16  # of the batch, at least, that are worth a thread of their own


def by_batch(part, B: int, w) -> None:
    """part(slice) for slices that cover the rows of a batch: rows know nothing of each other.

    w: the matrix that each row is multiplied by at every step. A thread goes through all of time
    with its rows; to share the product of each step, threads would wait at every one.
    """
    parts = threads.parts(max(B // ROWS, 1), B * w.size, ENOUGH) if blas.libraries() else 1
    with blas.one_thread():
        threads.run(lambda p: part(slice(p * B // parts, (p + 1) * B // parts)), parts)


def tanh_recurrence(a, w, h):
    """h_t = tanh(a_t + h_{t-1} W).  a: (T, B, H), w: (H, H); fills h[1:] of h: (1 + T, B, H).

    h[0] is the state to begin from. Source: Elman (1990).
    """
    def run(rows: slice) -> None:
        for t in range(len(a)):
            now = h[t + 1, rows]
            np.matmul(h[t, rows], w, out=now)
            now += a[t, rows]
            np.tanh(now, out=now)

    by_batch(run, a.shape[1], w)


def tanh_recurrence_backward(dh, h, w, dw, out=None):
    """da_t = dh_t (1 - h_t²) and dh_{t-1} += da_t Wᵀ, from the last step to the first.

    dh: (1 + T, B, H), the gradient by each state as far as it does not lead through later states;
    afterwards it is all of the gradient. h: (1 + T, B, H), w: (H, H). Adds Σ_t h_{t-1}ᵀ da_t into
    dw; returns da: (T, B, H).
    """
    da = np.empty_like(h[1:]) if out is None else out
    turned = np.ascontiguousarray(w.T)  # once: BLAS is slower with a transpose, each time

    def run(rows: slice) -> None:
        slope = np.multiply(h[1:, rows], h[1:, rows], out=da[:, rows])
        np.subtract(1, slope, out=slope)
        back = np.empty_like(h[0, rows])
        for t in reversed(range(len(da))):
            slope[t] *= dh[t + 1, rows]
            dh[t, rows] += np.matmul(slope[t], turned, out=back)

    by_batch(run, da.shape[1], w)
    add_transposed_product(h[:-1], da, dw)
    return da


def lstm(a, w, h, c):
    """Long short-term memory: gates decide what the cell c forgets, takes in and shows.

    i, f, o = σ(…) and g = tanh(…) of the four parts, in the order i, f, g, o, of a_t + h_{t-1} W;
    c_t = f c_{t-1} + i g;  h_t = o tanh c_t.
    a: (T, B, 4H), w: (H, 4H); fills h[1:] and c[1:] of h, c: (1 + T, B, H). a becomes the gates,
    which backward needs.
    Sources: Hochreiter & Schmidhuber (1997); with the gate to forget, Gers et al. (2000).
    """
    def run(rows: slice) -> None:
        waiting = np.empty((rows.stop - rows.start, w.shape[1]), a.dtype)
        for t in range(len(a)):
            gates = a[t, rows]
            gates += product(h[t, rows], w, waiting)
            lstm_step(gates, c[t, rows], c[t + 1, rows], h[t + 1, rows])

    by_batch(run, a.shape[1], w)


def lstm_backward(dh, dc, gates, c, h, w, dw):
    """The gradient by a, in the memory of the gates; see lstm and tanh_recurrence_backward.

    dh, dc: (1 + T, B, H), the gradients by h and c that do not lead through later steps;
    afterwards those that do are in them: dh[t], dc[t] is the gradient by the state that step t + 1
    is given. Adds Σ_t h_{t-1}ᵀ da_t into dw: (H, 4H).
    """
    turned = np.ascontiguousarray(w.T)

    def run(rows: slice) -> None:
        back = np.empty_like(h[0, rows])
        for t in reversed(range(len(gates))):
            lstm_step_backward(dh[t + 1, rows], dc[t + 1, rows], gates[t, rows], c[t, rows],
                               c[t + 1, rows], dc[t, rows])
            dh[t, rows] += product(gates[t, rows], turned, back)

    by_batch(run, gates.shape[1], w)
    add_transposed_product(h[:-1], gates, dw)
    return gates


@twin
def lstm_step(a, c_before, c, h):
    """One step of lstm at all rows.  a: (B, 4H) becomes the gates; fills c and h: (B, H)."""
    i, f, g, o = np.split(a, 4, axis=1)
    for gate in (i, f, o):
        gate[...] = sigmoid(gate)
    np.tanh(g, out=g)
    c[...] = f * c_before + i * g
    h[...] = o * np.tanh(c)


@twin
def lstm_step_backward(dh, dc, gates, c_before, c, dc_before):
    """d = dc + dh o (1 - tanh² c);  dc_before += d f;  the gates become the gradient by a.

    dh, dc, c_before, c, dc_before: (B, H), gates: (B, 4H). σ' = σ (1 - σ), tanh' = 1 - tanh².
    """
    i, f, g, o = np.split(gates, 4, axis=1)
    y = np.tanh(c)
    d = dc + dh * o * (1 - y * y)
    dc_before += d * f
    di, df, dg, do = d * g, d * c_before, d * i, dh * y
    for gate, part in ((i, di), (f, df), (o, do)):
        gate *= part * (1 - gate)
    g[...] = dg * (1 - g * g)
