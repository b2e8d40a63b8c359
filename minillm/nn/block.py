"""One layer of a Transformer."""

from __future__ import annotations

import numpy as np

from .attention import KeyValueCache, SelfAttention
from .feed_forward import FeedForward
from .layers import LayerNorm
from .module import Module


class Block(Module):
    """Attention and feed-forward, each added to the residual stream.  (B, T, C) -> (B, T, C).

    With ``norm_first`` (GPT-2) the stream is x + f(norm(x)); without (GPT-1, the original
    Transformer) it is norm(x + f(x)). Source: Xiong et al. (2020), table 1.
    """

    def __init__(self, width: int, heads: int, hidden: int, rng: np.random.Generator,
                 causal: bool = True, norm_first: bool = True, out_std: float = 0.02,
                 dtype=np.float32):
        super().__init__()
        self.norm_first = norm_first
        self.norm1 = LayerNorm(width, dtype)
        self.attention = SelfAttention(width, heads, rng, causal, out_std, dtype)
        self.norm2 = LayerNorm(width, dtype)
        self.feed_forward = FeedForward(width, hidden, rng, out_std, dtype)

    def forward(self, x, mask=None):
        middle, y = self.saved("middle", x.shape, x.dtype), self.saved("y", x.shape, x.dtype)
        if self.norm_first:
            np.add(x, self.attention(self.norm1(x), mask), out=middle)
            return np.add(middle, self.feed_forward(self.norm2(middle)), out=y)
        x = self.norm1(np.add(x, self.attention(x, mask), out=middle))
        return self.norm2(np.add(x, self.feed_forward(x), out=y))

    def backward(self, dy):
        """Adds each part's gradient into ``dy``, the residual stream's, and returns it."""
        dx = dy
        if self.norm_first:
            dx += self.norm2.backward(self.feed_forward.backward(dx))
            dx += self.norm1.backward(self.attention.backward(dx))
            return dx
        dx = self.norm2.backward(dx)
        dx += self.feed_forward.backward(dx)
        dx = self.norm1.backward(dx)
        dx += self.attention.backward(dx)
        return dx

    def extend(self, x, cache: KeyValueCache, start):
        """forward for new positions only; see SelfAttention.extend."""
        y = self.saved("y", x.shape, x.dtype)
        if self.norm_first:
            x = x + self.attention.extend(self.norm1(x), cache, start)
            return np.add(x, self.feed_forward(self.norm2(x)), out=y)
        x = self.norm1(x + self.attention.extend(x, cache, start))
        return self.norm2(np.add(x, self.feed_forward(x), out=y))
