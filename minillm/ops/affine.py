"""The linear layer. Adding and summing biases have twins."""

from __future__ import annotations

from ..backends import twin
from .products import add_transposed_product, multiply


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


@twin
def add_bias(y, b):
    """y += b, in place.  y: (..., F), b: (F,)."""
    y += b


@twin
def sum_rows(dy, db):
    """db += Σ over all but the last axis of dy.  dy: (..., F), db: (F,)."""
    db += dy.reshape(-1, dy.shape[-1]).sum(axis=0)
