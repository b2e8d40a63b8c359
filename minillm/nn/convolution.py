"""Convolutional layers: each position sees a few before it."""

from __future__ import annotations

import numpy as np

from .. import ops
from .layers import Linear
from .module import Module
from .parameters import Init


class Convolution(Module):
    """See ops.convolve.  x: (B, T, C) -> y: (B, T, F), by ``kernel`` matrices."""

    def __init__(self, inputs: int, outputs: int, init: Init, kernel: int = 3, dilation: int = 1):
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.w = init.normal((kernel * inputs)**-0.5, kernel * inputs, outputs)
        self.b = init.constant(0, outputs)

    def forward(self, x):
        self.seen = self.saved("seen", (*x.shape[:2], self.w.shape[0]), x.dtype)
        y = self.saved("y", (*x.shape[:2], self.w.shape[1]), x.dtype)
        return ops.convolve(x, self.w.value, self.b.value, self.dilation, self.seen, out=y)

    def backward(self, dy):
        B, T, width = self.seen.shape
        dx = self.scratch("dx", (B, T, width // self.kernel), dy.dtype)
        dseen = self.scratch("dseen", self.seen.shape, dy.dtype)
        return ops.convolve_backward(dy, self.seen, self.kernel, self.w.value, self.w.grad,
                                     self.b.grad, self.dilation, dseen, out=dx)


class GatedConvolution(Module):
    """y = x + gated(x * w) V: what a convolution finds passes a gate and is added to the stream.

    x: (B, T, C) -> y: (B, T, C). V starts small, so that a stack begins near the identity.
    Source: van den Oord et al. (2016), WaveNet, sections 2.3 and 2.4.
    """

    def __init__(self, width: int, init: Init, kernel: int = 3, dilation: int = 1,
                 out_std: float = 0.02):
        super().__init__()
        self.look = Convolution(width, 2 * width, init, kernel, dilation)
        self.mix = Linear(width, width, init, std=out_std)

    def forward(self, x):
        self.h = self.look(x)
        passed = ops.gated(self.h, out=self.saved("passed", x.shape, x.dtype))
        return np.add(x, self.mix(passed), out=self.saved("y", x.shape, x.dtype))

    def backward(self, dy):
        """Adds its part into ``dy``, the gradient of the stream, and returns it."""
        dh = ops.gated_backward(self.mix.backward(dy), self.h, out=self.h)
        dy += self.look.backward(dh)
        return dy
