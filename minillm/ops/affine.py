"""The linear layer. Its products go to BLAS; adding and summing biases have twins."""

from __future__ import annotations

import numpy as np

from ..backend import twin


def linear(x, w, b=None, out=None):
    """y = x W + b.  x: (..., C), w: (C, F), b: (F,) -> y: (..., F)."""
    y = multiply(x, w, out)
    if b is not None:
        add_bias(y, b)
    return y


def linear_backward(dy, x, w, dw, db=None, out=None):
    """Gradients of y = x W + b: dx = dy Wᵀ.  Adds xᵀ dy into dw, Σ dy into db.

    dy: (..., F), x: (..., C), w and dw: (C, F), db: (F,) -> dx: (..., C).
    """
    add_transposed_product(x, dy, dw)
    if db is not None:
        sum_rows(dy, db)
    return multiply(dy, w.T, out)


def multiply(x, w, out=None):
    """x W as one product of two matrices; NumPy would do one for each matrix in a stack of them.

    x: (..., C), w: (C, F) -> (..., F).
    """
    if out is None:
        out = np.empty((*x.shape[:-1], w.shape[1]), np.result_type(x, w))
    if out.flags.c_contiguous:
        np.matmul(x.reshape(-1, x.shape[-1]), w, out=out.reshape(-1, w.shape[1]))
        return out
    return np.matmul(x, w, out=out)


def add_transposed_product(x, dy, dw):
    """dw += xᵀ dy, summed over all rows.  x: (..., C), dy: (..., F), dw: (C, F)."""
    x, dy = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    if dw.flags.c_contiguous:
        dw += x.T @ dy
    else:  # dw is the transpose of a tied table: add in the order of its memory
        dw.T[:] += dy.T @ x


@twin
def add_bias(y, b):
    """y += b, in place.  y: (..., F), b: (F,)."""
    y += b


@twin
def sum_rows(dy, db):
    """db += Σ over all but the last axis of dy.  dy: (..., F), db: (F,)."""
    db += dy.reshape(-1, dy.shape[-1]).sum(axis=0)
