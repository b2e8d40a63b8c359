"""Tokens on their way to experts and back: sorted by expert, so that each is one product.

N: tokens, E: experts, k: choices of a token, M: choices that are carried out, all sorted by
expert: rows ``starts[e]`` to ``starts[e + 1]`` are those of expert e.
Source: Gale et al. (2023), section 4, which computes these products as one block-sparse product.
"""

from __future__ import annotations

import math

import numpy as np

from .. import blas, threads
from ..backends import twin

ROWS = 256  # of a product that one thread takes at a time


def by_expert(chosen, E, capacity=None):
    """Sort choices by expert.  chosen: (N, k) -> tokens (M,), place (N, k), starts (E + 1,).

    tokens: whose each sorted choice is; place: where a token's choices stand among them, or -1
    where one was dropped. capacity: an expert takes so many choices at most, first choices before
    second ones, earlier tokens before later ones; None: all.
    Source of the capacity: Lepikhin et al. (2020), section 2.2.
    """
    N, k = chosen.shape
    expert = chosen.T.reshape(-1)  # all first choices, then all second ones
    order = np.argsort(expert, kind="stable")
    starts = np.searchsorted(expert[order], np.arange(E + 1))
    if capacity is not None:
        order = order[np.arange(N * k) - starts[expert[order]] < capacity]
        starts = np.searchsorted(expert[order], np.arange(E + 1))
    place = np.full(N * k, -1)
    place[order] = np.arange(len(order))
    return order % N, place.reshape(k, N).T.copy(), starts


def capacity_of(N, k, E, factor):
    """Choices that an expert takes at most: ``factor`` times an equal share, rounded up."""
    return math.ceil(factor * N * k / E)


@twin
def combine(rows, place, weights, out=None):
    """y_n = Σ_j weights_nj rows[place_nj], without those that were dropped (-1).

    rows: (M, C), place and weights: (N, k) -> y: (N, C).
    """
    kept = np.where(place < 0, 0, weights).astype(rows.dtype)
    return np.einsum("nk,nkc->nc", kept, rows[np.maximum(place, 0)], out=out) if len(rows) \
        else filled(out, (len(place), rows.shape[1]), rows.dtype)


@twin
def combine_backward(dy, rows, place, weights, out=None):
    """Gradients of ``combine``: drows = weight dy (into ``out``), dweights = ⟨dy, row⟩.

    dy: (N, C) -> drows (M, C), dweights (N, k), which is 0 for what was dropped.
    """
    n, j = np.nonzero(place >= 0)
    dweights = np.zeros(weights.shape, rows.dtype)
    dweights[n, j] = (dy[n] * rows[place[n, j]]).sum(axis=1)
    drows = np.empty_like(rows) if out is None else out  # from here on rows may be gone
    drows[place[n, j]] = weights[n, j, None] * dy[n]
    return drows, dweights


def filled(out, shape, dtype):
    """Zeros, in ``out`` if it is given."""
    if out is None:
        return np.zeros(shape, dtype)
    out[...] = 0
    return out


def grouped_linear(x, w, starts, out=None):
    """y = x W_e, for the rows of each expert e.  x: (M, C), w: (E, C, F) -> y: (M, F)."""
    y = np.empty((len(x), w.shape[2]), x.dtype) if out is None else out
    pieces = [(e, first, min(first + ROWS, starts[e + 1])) for e in range(len(w))
              for first in range(starts[e], starts[e + 1], ROWS)]

    def piece(i):
        e, first, end = pieces[i]
        np.matmul(x[first:end], w[e], out=y[first:end])

    each_alone(piece, len(pieces))
    return y


def grouped_linear_backward(dy, x, w, dw, starts, out=None):
    """dx = dy W_eᵀ, for the rows of each expert e.  Adds xᵀ dy into dw_e.

    dy: (M, F), x: (M, C), w and dw: (E, C, F) -> dx: (M, C).
    """
    def add(e):
        here = slice(starts[e], starts[e + 1])
        if starts[e] < starts[e + 1]:
            dw[e] += x[here].T @ dy[here]

    each_alone(add, len(w))
    return grouped_linear(dy, w.swapaxes(1, 2), starts, out)


def each_alone(task, count):
    """task(0), …, task(count - 1), each on one thread of the pool."""
    if count:
        with blas.one_thread():
            threads.run(task, count)
