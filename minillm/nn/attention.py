"""Multi-head self-attention, and the cache that makes generation cheap."""

from __future__ import annotations

import numpy as np

from .. import ops
from .layers import Linear
from .module import Module


class KeyValueCache:
    """Keys and values of one layer: (B, H, S, D) each, of which ``length`` positions are filled."""

    def __init__(self, keys, values):
        self.keys, self.values = keys, values
        self.length = 0

    def append(self, k, v):
        """Add (B, H, T, D) keys and values; returns all so far, as views."""
        end = self.length + k.shape[2]
        if end > self.keys.shape[2]:
            raise ValueError(f"the cache holds {self.keys.shape[2]} positions; {end} are needed")
        self.keys[:, :, self.length:end] = k
        self.values[:, :, self.length:end] = v
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class SelfAttention(Module):
    """Each position gathers from the positions it may see.  x: (B, T, C) -> y: (B, T, C).

    One product makes queries, keys and values of all heads. Source: Vaswani et al. (2017),
    section 3.2.2.
    """

    def __init__(self, width: int, heads: int, rng: np.random.Generator, causal: bool = True,
                 out_std: float = 0.02, dtype=np.float32):
        super().__init__()
        if width % heads:
            raise ValueError(f"width={width} does not divide into heads={heads} equal parts; "
                             f"choose a width that is a multiple of heads")
        self.heads, self.causal = heads, causal
        self.qkv = Linear(width, 3 * width, rng, dtype=dtype)
        self.proj = Linear(width, width, rng, std=out_std, dtype=dtype)

    def split(self, x):
        """(B, T, m C) -> m views (B, H, T, D). Nothing is copied."""
        B, T, _ = x.shape
        D = self.proj.w.shape[0] // self.heads
        return x.reshape(B, T, -1, self.heads, D).transpose(2, 0, 3, 1, 4)

    def forward(self, x, mask=None):
        self.q, self.k, self.v = self.split(self.qkv(x))
        self.mask = mask
        self.y = self.saved("y", x.shape, x.dtype)
        _, self.probs = ops.attention(self.q, self.k, self.v, self.causal, mask,
                                      out=self.split(self.y)[0])
        return self.proj(self.y)

    def backward(self, dy):
        dy = self.proj.backward(dy)
        dqkv = self.scratch("dqkv", (*dy.shape[:-1], 3 * dy.shape[-1]), dy.dtype)
        ops.attention_backward(self.split(dy)[0], self.q, self.k, self.v, self.split(self.y)[0],
                               self.probs, self.causal, self.mask, out=tuple(self.split(dqkv)))
        return self.qkv.backward(dqkv)

    def extend(self, x, cache: KeyValueCache, start):
        """forward for new positions only, keeping their keys and values in ``cache``.

        x: (B, T, C), the positions after those in the cache; start: (B,) first valid position.
        """
        q, k, v = self.split(self.qkv(x))
        keys, values = cache.append(k, v)
        y = self.saved("y", x.shape, x.dtype)
        if x.shape[1] == 1:
            ops.attention_decode(q[:, :, 0], keys, values, start, out=self.split(y)[0][:, :, 0])
        else:
            mask = (np.arange(cache.length) >= start[:, None])[:, None, None, :]
            ops.attention(q, keys, values, True, mask if start.any() else None,
                          out=self.split(y)[0])
        return self.proj(y)
