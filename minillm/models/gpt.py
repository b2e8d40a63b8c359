"""GPT: a stack of causal Transformer blocks that predicts the next token."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .. import ops
from ..backend import active_backend
from ..nn import Block, Embedding, KeyValueCache, LayerNorm, Module, flatten, share_scratch


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a GPT. ``hidden`` (F) is four times ``width`` (C) unless given."""

    vocab_size: int
    context: int
    layers: int
    heads: int
    width: int
    hidden: int | None = None
    norm_first: bool = True

    def __post_init__(self):
        for name in ("vocab_size", "context", "layers", "heads", "width", "hidden"):
            value = getattr(self, name)
            if value is None and name == "hidden":
                continue
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")
        if self.width % self.heads:
            raise ValueError(f"width={self.width} is not a multiple of heads={self.heads}; each "
                             "head takes an equal part of the width")


class GPT(Module):
    """A decoder-only Transformer whose output layer is its token embedding.

    Weights start as GPT-2's: matrices and token embedding N(0, 0.02²), position embedding
    N(0, 0.01²), biases 0, gains 1; the two matrices of each block that write to the residual
    stream are scaled by 1/√(2L), so that 2L additions leave its variance alone.
    All weights are views of the vector ``weights``, all gradients of ``grads``.
    Sources: Radford et al. (2018, 2019); tied output: Press & Wolf (2017).
    """

    def __init__(self, config: GPTConfig, seed: int = 0, dtype=np.float32):
        super().__init__()
        self.config = config
        rng = np.random.default_rng(seed)
        C, L = config.width, config.layers
        self.tokens = Embedding(config.vocab_size, C, rng, dtype=dtype)
        self.positions = Embedding(config.context, C, rng, std=0.01, dtype=dtype)
        self.blocks = [
            Block(C, config.heads, config.hidden or 4 * C, rng, norm_first=config.norm_first,
                  out_std=0.02 / np.sqrt(2 * L), dtype=dtype)
            for _ in range(L)
        ]
        if config.norm_first:
            self.norm = LayerNorm(C, dtype)
        share_scratch(self.blocks)
        self.weights, self.grads, self.decayed = flatten(self)

    def forward(self, ids, mask=None):
        """Scores of every possible next token: ids (B, T) -> logits (B, T, V).

        ``mask`` (B, T) is True at real tokens and False at padding. The logits are borrowed.
        Raises ValueError for ids outside the vocabulary or more of them than the context holds.
        """
        ids = self.check_ids(ids)
        attend = None if mask is None else np.asarray(mask, bool)[:, None, None, :]
        x = self.tokens(ids)
        x += self.positions(np.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x, attend)
        return self.head(x)

    def head(self, x):
        """Hidden vectors to logits, with the token embedding's transpose as the matrix."""
        self.h = self.norm(x) if self.config.norm_first else x
        logits = self.saved("logits", (*x.shape[:-1], self.config.vocab_size), x.dtype)
        return ops.linear(self.h, self.tokens.w.value.T, out=logits)

    def loss(self, ids, targets, ignore_index: int = -100, mask=None) -> float:
        """Mean cross-entropy (nats per label) of predicting ``targets``, both (B, T).

        It turns the logits into their own gradient, so that ``backward`` can follow.
        """
        logits = self.forward(ids, mask)
        self.dlogits = logits
        return ops.cross_entropy(logits, np.asarray(targets), ignore_index, dlogits=logits)

    def backward(self, scale: float = 1.0) -> None:
        """Add the gradient of ``scale`` times the last loss to ``grads``."""
        table = self.tokens.w
        if scale != 1:
            self.dlogits *= scale
        dx = self.scratch("dx", self.h.shape, self.h.dtype)
        ops.linear_backward(self.dlogits, self.h, table.value.T, table.grad.T, out=dx)
        if self.config.norm_first:
            dx = self.norm.backward(dx)
        for block in reversed(self.blocks):
            dx = block.backward(dx)
        self.positions.backward(dx.sum(axis=0))
        self.tokens.backward(dx)

    def new_cache(self, batch: int) -> list[KeyValueCache]:
        """An empty key-value cache: one part for each block, all in one array (L, B, H, S, D)."""
        c = self.config
        keys = np.empty((c.layers, batch, c.heads, c.context, c.width // c.heads),
                        self.weights.dtype)
        values = np.empty_like(keys)
        return [KeyValueCache(keys[i], values[i]) for i in range(c.layers)]

    def extend(self, ids, cache: list[KeyValueCache], start=None):
        """Logits after the last of some new tokens, with the earlier ones remembered in ``cache``.

        ids: (B, T), start: (B,) number of padding tokens at the left of each row -> (B, V).
        """
        ids = self.check_ids(ids, cache[0].length)
        B, T = ids.shape
        if B == T == 1 and self.config.norm_first and active_backend() == "numba":
            return self.extend_one(int(ids[0, 0]), cache, 0 if start is None else int(start[0]))
        start = np.zeros(B, np.int64) if start is None else np.asarray(start, np.int64)
        where = np.arange(cache[0].length, cache[0].length + T) - start[:, None]
        x = self.tokens(ids)
        x += self.positions(np.maximum(where, 0))
        for block, part in zip(self.blocks, cache, strict=True):
            x = block.extend(x, part, start)
        return self.head(x[:, -1])

    def extend_one(self, token: int, cache: list[KeyValueCache], start: int = 0):
        """extend for a single token, with one kernel call for all blocks -> (1, V)."""
        from ..kernels import decode

        position = cache[0].length
        x = self.tokens.w.value[token] + self.positions.w.value[position - start]
        logits = self.saved("logits", (1, self.config.vocab_size), x.dtype)
        decode.decode(x, self.weights, self.starts, self.config.hidden or 4 * x.size,
                      cache[0].keys.base, cache[0].values.base, position, start,
                      (self.norm.w.value, self.norm.b.value), self.tokens.w.value, logits[0])
        for part in cache:
            part.length = position + 1
        return logits

    @functools.cached_property
    def starts(self):
        """Where each block's parameters begin in ``weights``: (L, 12)."""
        from ..kernels.decode import BLOCK

        where = {name: p.start for name, p in self.named_parameters()}
        return np.array([[where[f"blocks.{i}.{name}"] for name in BLOCK]
                         for i in range(self.config.layers)])

    def generate(self, prompt_ids, max_new_tokens, temperature=1.0, top_k=None, top_p=None,
                 seed=0, stop=(), cache=True):
        """Continue one prompt, or a list of prompts; see :func:`minillm.generation.generate`."""
        from ..generation import generate

        return generate(self, prompt_ids, max_new_tokens, temperature, top_k, top_p, seed, stop,
                        cache)

    def check_ids(self, ids, before: int = 0):
        """ids as a (B, T) integer array that fits the context, or a clear error."""
        ids = np.asarray(ids)
        if ids.ndim != 2 or ids.size == 0:
            raise ValueError(f"ids has shape {ids.shape}; expected (B, T) with at least one token")
        if before + ids.shape[1] > self.config.context:
            raise ValueError(f"ids has {before + ids.shape[1]} positions, but the context holds "
                             f"{self.config.context}; pass the last {self.config.context} only")
        return ids
