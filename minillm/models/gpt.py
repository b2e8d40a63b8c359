"""GPT: a stack of causal Transformer blocks that predicts the next token."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .. import ops
from ..backend import active_backend
from ..nn import Block, Embedding, KeyValueCache, LayerNorm, share_scratch
from .model import Model, alone


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
            object.__setattr__(self, name, int(value))  # NumPy's cannot be stored as JSON
        if not isinstance(self.norm_first, (bool, np.bool_)):
            raise ValueError(f"norm_first={self.norm_first!r}: expected True or False")
        object.__setattr__(self, "norm_first", bool(self.norm_first))
        if self.width % self.heads:
            raise ValueError(f"width={self.width} is not a multiple of heads={self.heads}; each "
                             "head takes an equal part of the width")


class GPT(Model):
    """A decoder-only Transformer whose output layer is its token embedding.

    Weights start as GPT-2's: matrices and token embedding N(0, 0.02²), position embedding
    N(0, 0.01²), biases 0, gains 1; the two matrices of each block that write to the residual
    stream are scaled by 1/√(2L), so that 2L additions leave its variance alone.
    With ``seed=None`` they are others each time. dtype: np.float32, or np.float64 for checks.
    Sources: Radford et al. (2018, 2019); tied output: Press & Wolf (2017).
    """

    def __init__(self, config: GPTConfig, seed: int | None = 0, dtype=np.float32):
        super().__init__()
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={np.dtype(dtype).name}: expected float32 or float64; smaller "
                             "numbers are for files, see save_checkpoint")
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
        self._join()

    def _join(self):
        share_scratch(self.blocks)
        super()._join()

    @alone
    def forward(self, ids, mask=None):
        """Scores of every possible next token: ids (B, T) -> logits (B, T, V).

        ``mask`` (B, T) is True at real tokens and False at padding, which stands at the left or
        the right of a row; positions count real tokens, so a row gets the same logits with padding
        as without. The logits are borrowed until the next forward, loss or extend.
        Raises ValueError for ids outside the vocabulary, more of them than the context holds, or a
        mask of another shape or with holes.
        """
        self.dlogits = None  # its memory is about to be used again
        ids = self.check_ids(ids)
        attend, where = None, np.arange(ids.shape[1])
        if mask is not None:
            mask = check_mask(mask, ids.shape)
            attend, start = mask[:, None, None, :], mask.argmax(axis=1)
            if start.any():
                where = np.maximum(where - start[:, None], 0)
        x = self.tokens(ids)
        x += self.positions(where)
        for block in self.blocks:
            x = block(x, attend)
        return self.head(x)

    def head(self, x):
        """Hidden vectors to logits, with the token embedding's transpose as the matrix."""
        self.h = self.norm(x) if self.config.norm_first else x
        logits = self.saved("logits", (*x.shape[:-1], self.config.vocab_size), x.dtype)
        return ops.linear(self.h, self.tokens.w.value.T, out=logits)

    @alone
    def loss(self, ids, targets, ignore_index: int = -100, mask=None) -> float:
        """Mean cross-entropy (nats per label) of predicting ``targets``, both (B, T).

        It turns the logits into their own gradient, so that ``backward`` can follow.
        """
        targets = np.asarray(targets)
        if targets.dtype.kind not in "iu":
            raise TypeError(f"targets has dtype {targets.dtype}; expected integers: ids, or "
                            f"ignore_index={ignore_index} where nothing is to be predicted")
        logits = self.forward(ids, mask)
        loss = ops.cross_entropy(logits, targets, ignore_index, dlogits=logits)
        self.keep_dlogits(logits)
        return loss

    @alone
    def backward(self, scale: float = 1.0) -> None:
        """Add the gradient of ``scale`` times the last loss to ``grads``.

        Raises RuntimeError unless that loss is what this model has computed last.
        """
        dlogits, table = self.take_dlogits(scale), self.tokens.w
        dx = self.scratch("dx", self.h.shape, self.h.dtype)
        ops.linear_backward(dlogits, self.h, table.value.T, table.grad.T, out=dx)
        if self.config.norm_first:
            dx = self.norm.backward(dx)
        for block in reversed(self.blocks):
            dx = block.backward(dx)
        shared = self.positions.ids.ndim == 1  # all rows have the same positions
        self.positions.backward(dx.sum(axis=0) if shared else dx)
        self.tokens.backward(dx)

    def new_cache(self, batch: int) -> list[KeyValueCache]:
        """An empty key-value cache: one part for each block, all in one array (L, B, H, S, D)."""
        c = self.config
        keys = np.empty((c.layers, batch, c.heads, c.context, c.width // c.heads),
                        self.weights.dtype)
        values = np.empty_like(keys)
        return [KeyValueCache(keys[i], values[i]) for i in range(c.layers)]

    @alone
    def extend(self, ids, cache: list[KeyValueCache], start=None):
        """Logits after the last of some new tokens, with the earlier ones remembered in ``cache``.

        ids: (B, T), start: (B,) number of padding tokens at the left of each row -> (B, V).
        """
        length = cache[0].length if cache else 0
        ids = self.check_ids(ids, length)
        B, T = ids.shape
        self.check_cache(cache, B)
        start = np.zeros(B, np.int64) if start is None else np.asarray(start)
        if start.shape != (B,) or start.dtype.kind not in "iu" \
                or not 0 <= min(start.tolist()) <= max(start.tolist()) < length + T:
            raise ValueError(f"start={start.tolist()!r}: expected ({B},) whole numbers from 0 to "
                             f"{length + T - 1}, so that each row has a token that is no padding")
        self.dlogits = None
        if B == T == 1 and self.config.norm_first and active_backend() == "numba":
            whole = cache[0].keys.base  # all layers in one array, as new_cache makes it
            if whole is not None and whole.shape == (len(cache), *cache[0].keys.shape):
                return self._extend_one(int(ids[0, 0]), cache, int(start[0]))
        where = np.arange(length, length + T) - start[:, None]
        x = self.tokens(ids)
        x += self.positions(np.maximum(where, 0))
        for block, part in zip(self.blocks, cache, strict=True):
            x = block.extend(x, part, start)
        return self.head(x[:, -1])

    def _extend_one(self, token: int, cache: list[KeyValueCache], start: int):
        """extend for a single token, with one kernel call for all blocks -> (1, V)."""
        decode = decoding()
        if not 0 <= token < self.config.vocab_size:
            raise ValueError(f"ids holds {token}, outside [0, {self.config.vocab_size}): these ids "
                             "come from another vocabulary than the model's")
        position = cache[0].length
        x = self.tokens.w.value[token] + self.positions.w.value[position - start]
        logits = self.saved("logits", (1, self.config.vocab_size), x.dtype)
        decode.decode(x, self.weights, self.starts, self.config.hidden or 4 * x.size,
                      cache[0].keys.base, cache[0].values.base, position, start,
                      (self.norm.w.value, self.norm.b.value), self.tokens.w.value, logits[0])
        for part in cache:
            part.length = position + 1
        return logits

    def replica(self):
        other = super().replica()
        if active_backend() == "numba":
            other.starts = self.starts  # made once
        return other

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
        """ids as a (B, T) integer array that fits the context, or a clear error.

        It is a copy: what the caller does to theirs before backward changes no gradient.
        """
        ids = np.array(ids)
        if ids.ndim != 2 or ids.size == 0:
            raise ValueError(f"ids has shape {ids.shape}; expected (B, T) with at least one token")
        if before + ids.shape[1] > self.config.context:
            raise ValueError(f"ids has {before + ids.shape[1]} positions, but the context holds "
                             f"{self.config.context}; pass the last {self.config.context} only")
        if ids.dtype.kind not in "iu":
            raise TypeError(f"ids has dtype {ids.dtype}; expected integers, as a tokenizer returns")
        return ids

    def check_cache(self, cache, batch: int) -> None:
        """Raise a ValueError unless ``cache`` fits this model and that many rows."""
        c = self.config
        expected = (batch, c.heads, c.context, c.width // c.heads)
        if len(cache) == c.layers and all(part.keys.shape == expected for part in cache):
            return
        found = sorted({part.keys.shape for part in cache})
        raise ValueError(f"cache has {len(cache)} layers of shapes {found}; this model and these "
                         f"ids need {c.layers} layers of (rows, heads, context, width of a head) = "
                         f"{expected}: make it with new_cache({batch})")


@functools.cache
def decoding():
    """The kernels for one token, imported once: asking Python again at each token takes longer."""
    from ..kernels import decode

    return decode


def check_mask(mask, shape: tuple[int, ...]):
    """mask as a (B, T) boolean array with no hole in a row, or a clear error."""
    mask = np.array(mask)
    if mask.shape != shape:
        raise ValueError(f"mask has shape {mask.shape}, but ids {shape}; expected the same")
    if mask.dtype != bool and not (mask.dtype.kind in "iu" and ((mask == 0) | (mask == 1)).all()):
        raise ValueError(f"mask has dtype {mask.dtype}; expected True (or 1) at real tokens and "
                         "False (or 0) at padding")
    mask = mask.astype(bool)
    beginnings = mask[:, :1].sum(axis=1) + (mask[:, 1:] & ~mask[:, :-1]).sum(axis=1)
    if (beginnings > 1).any():
        raise ValueError(f"mask row {int(beginnings.argmax())} has a hole: padding stands between "
                         "its tokens; expected padding at the left or the right only")
    return mask
