"""The position-wise feed-forward layer."""

from __future__ import annotations

import numpy as np

from .. import ops
from .layers import Linear
from .module import Module


class FeedForward(Module):
    """y = gelu(x W₁ + b₁) W₂ + b₂, at each position alone.  x: (B, T, C) -> y: (B, T, C).

    Source: Vaswani et al. (2017), section 3.3, with GELU as in GPT.
    """

    def __init__(self, width: int, hidden: int, rng: np.random.Generator, out_std: float = 0.02,
                 dtype=np.float32):
        super().__init__()
        self.expand = Linear(width, hidden, rng, dtype=dtype)
        self.contract = Linear(hidden, width, rng, std=out_std, dtype=dtype)

    def forward(self, x):
        self.h = self.expand(x)
        return self.contract(ops.gelu(self.h, out=self.saved("gelu", self.h.shape, x.dtype)))

    def backward(self, dy):
        dh = self.contract.backward(dy)
        return self.expand.backward(ops.gelu_backward(dh, self.h, out=dh))
