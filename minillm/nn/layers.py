"""The three smallest modules: linear layer, layer norm and embedding."""

from __future__ import annotations

import numpy as np

from .. import ops
from .module import Module, Parameter


class Linear(Module):
    """y = x W + b.  x: (..., C) -> y: (..., F).  W starts as N(0, std²), b as 0."""

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator, std: float = 0.02,
                 dtype=np.float32):
        super().__init__()
        self.w = Parameter(rng.normal(0, std, (inputs, outputs)).astype(dtype))
        self.b = Parameter(np.zeros(outputs, dtype))

    def forward(self, x):
        self.x = x
        y = self.saved("y", (*x.shape[:-1], self.b.value.size), x.dtype)
        return ops.linear(x, self.w.value, self.b.value, out=y)

    def backward(self, dy):
        dx = self.scratch("dx", self.x.shape, dy.dtype)
        return ops.linear_backward(dy, self.x, self.w.value, self.w.grad, self.b.grad, out=dx)


class LayerNorm(Module):
    """y = w x̂ + b with x̂ the row scaled to mean 0 and variance 1.  x: (..., C) -> y: (..., C)."""

    def __init__(self, width: int, dtype=np.float32):
        super().__init__()
        self.w = Parameter(np.ones(width, dtype))
        self.b = Parameter(np.zeros(width, dtype))

    def forward(self, x):
        self.x = x
        y = self.saved("y", x.shape, x.dtype)
        y, self.stats = ops.layer_norm(x, self.w.value, self.b.value, out=y)
        return y

    def backward(self, dy):
        dx = self.scratch("dx", dy.shape, dy.dtype)
        return ops.layer_norm_backward(dy, self.x, self.w.value, self.stats, self.w.grad,
                                       self.b.grad, out=dx)


class Embedding(Module):
    """A table of V vectors.  ids: (...) -> y: (..., C).  It starts as N(0, std²)."""

    def __init__(self, entries: int, width: int, rng: np.random.Generator, std: float = 0.02,
                 dtype=np.float32):
        super().__init__()
        self.w = Parameter(rng.normal(0, std, (entries, width)).astype(dtype))

    def forward(self, ids):
        self.ids = ids
        y = self.saved("y", (*ids.shape, self.w.shape[1]), self.w.value.dtype)
        return ops.embedding(ids, self.w.value, out=y)

    def backward(self, dy):
        """Adds into the table's gradient; ids have no gradient, so nothing is returned."""
        ops.embedding_backward(dy, self.ids, self.w.grad)
