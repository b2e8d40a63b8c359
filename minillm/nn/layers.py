"""The linear layer and the embedding."""

from __future__ import annotations

import numpy as np

from .. import ops
from .module import Module
from .parameters import Init, Parameter


class Linear(Module):
    """y = x W + b.  x: (..., C) -> y: (..., F).  W starts as N(0, std²), b as 0."""

    def __init__(self, inputs: int, outputs: int, init: Init, std: float = 0.02,
                 bias: bool = True):
        super().__init__()
        self.w = init.normal(std, inputs, outputs)
        self.b = init.constant(0, outputs) if bias else None

    def forward(self, x):
        self.x = x
        y = self.saved("y", (*x.shape[:-1], self.w.shape[1]), x.dtype)
        return ops.linear(x, self.w.value, None if self.b is None else self.b.value, out=y)

    def backward(self, dy):
        dx = self.scratch("dx", self.x.shape, dy.dtype)
        return ops.linear_backward(dy, self.x, self.w.value, self.w.grad,
                                   None if self.b is None else self.b.grad, out=dx)


class Embedding(Module):
    """A table of V vectors.  ids: (...) -> y: (..., C).  It starts as N(0, std²).

    table: that of another part, to share it, instead of a new one.
    """

    def __init__(self, entries: int, width: int, init: Init, std: float = 0.02,
                 table: Parameter | None = None):
        super().__init__()
        self.w = init.normal(std, entries, width) if table is None else table

    def forward(self, ids):
        self.ids = np.asarray(ids)
        y = self.saved("y", (*self.ids.shape, self.w.shape[1]), self.w.value.dtype)
        return ops.embedding(ids, self.w.value, out=y)

    def backward(self, dy):
        """Adds into the table's gradient; ids have no gradient, so nothing is returned."""
        ops.embedding_backward(dy, self.ids, self.w.grad)


class TiedLinear(Module):
    """y = x Eᵀ + b, where E is a table of embeddings.  x: (..., C) -> y: (..., V).

    Source: Press & Wolf (2017).
    """

    def __init__(self, table: Parameter, init: Init, bias: bool = True):
        super().__init__()
        self.w = table
        self.b = init.constant(0, table.shape[0]) if bias else None

    def forward(self, x):
        self.x = x
        y = self.saved("y", (*x.shape[:-1], self.w.shape[0]), x.dtype)
        return ops.linear(x, self.w.value.T, None if self.b is None else self.b.value, out=y)

    def backward(self, dy):
        dx = self.scratch("dx", self.x.shape, dy.dtype)
        return ops.linear_backward(dy, self.x, self.w.value.T, self.w.grad.T,
                                   None if self.b is None else self.b.grad, out=dx)
