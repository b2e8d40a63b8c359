"""Twins of :mod:`minillm.ops.dispatch`."""

from __future__ import annotations

import numpy as np

from .arrays import by_rows, start_from
from .compiling import OPTIONS, njit


def combine(rows, place, weights, out=None):
    y = room(out, (len(place), rows.shape[1]), rows, weights)
    by_rows(_combine, (y, place, weights), rows, numbers=y.size * place.shape[1])
    return y if out is None else start_from(y, out)


def combine_backward(dy, rows, place, weights, out=None):
    drows, dweights = room(out, rows.shape, dy, rows, weights), np.empty(weights.shape, rows.dtype)
    by_rows(_combine_backward, (dy, place, weights, dweights), rows, drows,
            numbers=dy.size * place.shape[1])
    return drows if out is None else start_from(drows, out), dweights


def room(out, shape, *inputs):
    """Where a kernel may write while it reads ``inputs``: ``out`` if it is apart from them."""
    if out is None or any(np.may_share_memory(out, x) for x in inputs):
        return np.empty(shape, inputs[0].dtype)
    return out


@njit(**OPTIONS)
def _combine(y, place, weights, rows):
    for n in range(y.shape[0]):
        y[n] = 0
        for j in range(place.shape[1]):
            if place[n, j] >= 0:
                row, weight = rows[place[n, j]], weights[n, j]
                for c in range(y.shape[1]):
                    y[n, c] += weight * row[c]


@njit(**OPTIONS)
def _combine_backward(dy, place, weights, dweights, rows, drows):
    for n in range(dy.shape[0]):
        for j in range(place.shape[1]):
            total = rows.dtype.type(0)
            if place[n, j] >= 0:
                row, drow, weight = rows[place[n, j]], drows[place[n, j]], weights[n, j]
                for c in range(dy.shape[1]):  # alone: beside a store, whether the sum is done in
                    total += dy[n, c] * row[c]  # vectors depends on where the arrays lie
                for c in range(dy.shape[1]):
                    drow[c] = weight * dy[n, c]
            dweights[n, j] = total
