"""GPT: a stack of causal Transformer blocks that predicts the next token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import ops
from ..nn import (
    FEED_FORWARDS,
    NORMS,
    POSITIONS,
    Attention,
    Block,
    Dropout,
    Embedding,
    Experts,
    Init,
    KeyValueCache,
    Linear,
    Stack,
    feed_forward_or_experts,
)
from .inputs import attended, check_cache, check_ids, check_start
from .model import Model, alone
from .settings import choices, parts_of_blocks, small_number, switches, whole_numbers


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a GPT, and which parts it is made of; GPT-2's unless said otherwise.

    ``hidden`` (F) is four times ``width`` (C) unless given. norm, feed_forward, positions: names
    in NORMS, FEED_FORWARDS and POSITIONS of :mod:`minillm.nn`. kv_heads: heads of keys and values,
    as many as queries if None. window: how many positions back each one sees, its own included;
    all if None. bias: whether matrices in the blocks have one. tied: the output layer is the token
    embedding. dropout: share of the embeddings, of attention's weights and of what the parts of a
    block add that is dropped in training. experts: in the place of each feed-forward layer, of its
    kind, see :class:`minillm.nn.Experts`. Llama's choice is norm="rms", feed_forward="swiglu",
    positions="rotary", bias=False, tied=False.
    """

    vocab_size: int
    context: int
    layers: int
    heads: int
    width: int
    hidden: int | None = None
    norm_first: bool = True
    norm: str = "layer"
    norm_eps: float = 1e-5
    feed_forward: str = "gelu"
    positions: str = "learned"
    kv_heads: int | None = None
    window: int | None = None
    bias: bool = True
    tied: bool = True
    dropout: float = 0.0
    experts: Experts | None = None

    def __post_init__(self):
        whole_numbers(self, "vocab_size", "context", "layers", "heads", "width", "hidden",
                      "kv_heads", "window", optional=("hidden", "kv_heads", "window"))
        switches(self, "norm_first", "bias", "tied")
        choices(self, norm=NORMS, feed_forward=FEED_FORWARDS, positions=POSITIONS)
        small_number(self, "norm_eps")
        parts_of_blocks(self)
        if self.heads % (self.kv_heads or self.heads):
            raise ValueError(f"kv_heads={self.kv_heads} does not divide heads={self.heads}; each "
                             "serves an equal number of queries")
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ValueError(f"width={self.width} with heads={self.heads} makes heads of "
                             f"{self.width // self.heads} numbers; rotary positions need an even "
                             "number")


class GPT(Model):
    """A decoder-only Transformer.

    Weights start as GPT-2's: matrices and token embedding N(0, 0.02²), position embedding
    N(0, 0.01²), biases 0, gains 1; the two matrices of each block that write to the residual
    stream are scaled by 1/√(2L), so that 2L additions leave its variance alone.
    With ``seed=None`` they are others each time. dtype: np.float32, or np.float64 for checks.
    Sources: Radford et al. (2018, 2019); tied output: Press & Wolf (2017); Llama's options:
    Touvron et al. (2023), section 2.2.
    """

    Config = GPTConfig

    def build(self, config: GPTConfig, init: Init) -> None:
        c, out_std = config, 0.02 / np.sqrt(2 * config.layers)

        def norm():
            return NORMS[c.norm](c.width, init, c.norm_eps)

        self.tokens = Embedding(c.vocab_size, c.width, init)
        self.positions = POSITIONS[c.positions](c.context, c.width, init)
        self.dropout = Dropout(c.dropout)
        inside = self.positions if self.positions.in_attention else None
        self.blocks = Stack([
            Block(norm,
                  Attention(c.width, c.heads, init, out_std=out_std, kv_heads=c.kv_heads,
                            positions=inside, bias=c.bias, window=c.window,
                            dropout=c.dropout),
                  feed_forward_or_experts(c.feed_forward, c.width, c.hidden or 4 * c.width, init,
                                          out_std, c.experts, bias=c.bias),
                  c.norm_first, c.dropout)
            for _ in range(c.layers)
        ])
        self.norm = norm() if c.norm_first else None
        self.output = None if c.tied else Linear(c.width, c.vocab_size, init, bias=False)

    def logits(self, ids, mask=None, *, drops=None):
        """Scores of every possible next token: ids (B, T) -> logits (B, T, V).

        ``mask`` (B, T) is True at real tokens and False at padding, which stands at the left or
        the right of a row; positions count real tokens, so a row gets the same logits with padding
        as without. Whole numbers instead, from 1, say to which of several documents in its row a
        token belongs (0: padding): each document gets the logits that it gets alone. ``drops``
        says what dropout drops; nothing without it. The logits are borrowed until the next
        forward, loss or extend.
        Raises ValueError for ids outside the vocabulary, more of them than the context holds, or a
        mask of another shape or with holes.
        """
        ids = check_ids(ids, self.config.context)
        attend, where = attended(mask, ids.shape)
        x = self.dropout(self.positions.embed(self.tokens(ids), where), drops)
        return self.head(self.blocks(x, attend, where, drops=drops))

    def head(self, x):
        """Hidden vectors to logits; tied, the matrix is the token embedding's transpose."""
        self.h = self.norm(x) if self.norm is not None else x
        if self.output is not None:
            return self.output(self.h)
        logits = self.saved("logits", (*x.shape[:-1], self.config.vocab_size), x.dtype)
        return ops.linear(self.h, self.tokens.w.value.T, out=logits)

    def logits_backward(self, dlogits):
        if self.output is not None:
            dx = self.output.backward(dlogits)
        else:
            table, dx = self.tokens.w, self.scratch("dx", self.h.shape, self.h.dtype)
            ops.linear_backward(dlogits, self.h, table.value.T, table.grad.T, out=dx)
        if self.norm is not None:
            dx = self.norm.backward(dx)
        dx = self.dropout.backward(self.blocks.backward(dx))
        self.positions.embed_backward(dx)
        self.tokens.backward(dx)

    def new_cache(self, batch: int) -> list[KeyValueCache]:
        """An empty key-value cache: one part for each block, all in one array (L, B, H, S, D)."""
        return self.blocks.new_cache(batch, self.config.context, self.weights.dtype)

    @alone
    def extend(self, ids, cache: list[KeyValueCache], start=None):
        """Logits after the last of some new tokens, with the earlier ones remembered in ``cache``.

        ids: (B, T), start: (B,) number of padding tokens at the left of each row -> (B, V).
        """
        length = cache[0].length if cache else 0
        ids = check_ids(ids, self.config.context, length)
        B, T = ids.shape
        self.check_cache(cache, B)
        start = check_start(start, B, length + T)
        self.dlogits = None
        where = np.maximum(np.arange(length, length + T) - start[:, None], 0)
        x = self.positions.embed(self.tokens(ids), where)
        return self.head(self.blocks.extend(x, cache, start)[:, -1])

    def generate(self, prompt_ids, max_new_tokens, temperature=1.0, top_k=None, top_p=None,
                 seed=0, stop=(), cache=True, **options):
        """Continue one prompt, or a list of prompts; see :func:`minillm.generation.generate`."""
        from ..generation import generate

        return generate(self, prompt_ids, max_new_tokens, temperature, top_k, top_p, seed, stop,
                        cache, **options)

    def check_cache(self, cache, batch: int) -> None:
        """Raise a ValueError unless ``cache`` fits this model and that many rows."""
        expected = self.blocks[0].attention.cache_shape(batch, self.config.context)
        check_cache(cache, self.config.layers, expected, f"new_cache({batch})")
