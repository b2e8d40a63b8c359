"""The position-wise feed-forward layers."""

from __future__ import annotations

from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from .. import ops
from .layers import Linear
from .module import Module
from .parameters import Init


class FeedForward(Module):
    """y = f(x W₁ + b₁) W₂ + b₂, at each position alone.  x: (B, T, C) -> y: (B, T, C).

    activation: the name of f in ops.ACTIVATIONS; "gelu" is GPT's.
    Source: Vaswani et al. (2017), section 3.3.
    """

    def __init__(self, width: int, hidden: int, init: Init, out_std: float = 0.02,
                 activation: str = "gelu", bias: bool = True, std: float = 0.02):
        super().__init__()
        self.activation = activation
        self.expand = Linear(width, hidden, init, std, bias)
        self.contract = Linear(hidden, width, init, std=out_std, bias=bias)

    def forward(self, x):
        f, _ = ops.ACTIVATIONS[self.activation]
        self.h = self.expand(x)
        return self.contract(f(self.h, out=self.saved("active", self.h.shape, x.dtype)))

    def backward(self, dy):
        _, f_backward = ops.ACTIVATIONS[self.activation]
        dh = self.contract.backward(dy)
        return self.expand.backward(f_backward(dh, self.h, out=dh))


class GatedFeedForward(Module):
    """y = (f(x W₁) ⊙ x W₃) W₂: what passes is decided by a gate.  (B, T, C) -> (B, T, C).

    With silu as f it is SwiGLU, Llama's. Source: Shazeer (2020), section 2.
    """

    def __init__(self, width: int, hidden: int, init: Init, out_std: float = 0.02,
                 activation: str = "silu", bias: bool = False, std: float = 0.02):
        super().__init__()
        self.activation = activation
        self.gate = Linear(width, hidden, init, std, bias)
        self.expand = Linear(width, hidden, init, std, bias)
        self.contract = Linear(hidden, width, init, std=out_std, bias=bias)

    def forward(self, x):
        f, _ = ops.ACTIVATIONS[self.activation]
        self.g, self.h = self.gate(x), self.expand(x)
        self.open = f(self.g, out=self.saved("open", self.g.shape, x.dtype))
        passed = self.saved("passed", self.g.shape, x.dtype)
        return self.contract(np.multiply(self.open, self.h, out=passed))

    def backward(self, dy):
        _, f_backward = ops.ACTIVATIONS[self.activation]
        d = self.contract.backward(dy)
        dg = f_backward(d * self.h, self.g)
        d *= self.open
        return self.expand.backward(d) + self.gate.backward(dg)


FEED_FORWARDS: dict[str, Any] = {
    "gelu": FeedForward,
    "gelu_exact": partial(FeedForward, activation="gelu_exact"),
    "relu": partial(FeedForward, activation="relu"),
    "swiglu": GatedFeedForward,
}


def inside_of(kind: str) -> tuple[str, bool]:
    """The name of the activation of this kind of layer, and whether it has a gate."""
    layer = FEED_FORWARDS[kind]
    gated = issubclass(getattr(layer, "func", layer), GatedFeedForward)
    return signature(layer).parameters["activation"].default, gated
