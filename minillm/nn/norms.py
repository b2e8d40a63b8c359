"""Norms: each scales a row so that its numbers have about the size 1."""

from __future__ import annotations

from typing import Any

from .. import ops
from .module import Module
from .parameters import Init


class LayerNorm(Module):
    """y = w x̂ + b with x̂ the row scaled to mean 0 and variance 1.  x: (..., C) -> y: (..., C)."""

    def __init__(self, width: int, init: Init, eps: float = 1e-5):
        super().__init__()
        self.w = init.constant(1, width)
        self.b = init.constant(0, width)
        self.eps = eps

    def forward(self, x):
        self.x = x
        y = self.saved("y", x.shape, x.dtype)
        y, self.stats = ops.layer_norm(x, self.w.value, self.b.value, self.eps, out=y)
        return y

    def backward(self, dy):
        dx = self.scratch("dx", dy.shape, dy.dtype)
        return ops.layer_norm_backward(dy, self.x, self.w.value, self.stats, self.w.grad,
                                       self.b.grad, out=dx)


class RMSNorm(Module):
    """y = w x / √(⟨x²⟩ + eps): the row's length is set, its mean stays.  (..., C) -> (..., C)."""

    def __init__(self, width: int, init: Init, eps: float = 1e-5):
        super().__init__()
        self.w = init.constant(1, width)
        self.eps = eps

    def forward(self, x):
        self.x = x
        y = self.saved("y", x.shape, x.dtype)
        y, self.scale = ops.rms_norm(x, self.w.value, self.eps, out=y)
        return y

    def backward(self, dy):
        dx = self.scratch("dx", dy.shape, dy.dtype)
        return ops.rms_norm_backward(dy, self.x, self.w.value, self.scale, self.w.grad, out=dx)


NORMS: dict[str, Any] = {"layer": LayerNorm, "rms": RMSNorm}
