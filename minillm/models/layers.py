"""What enters an encoder or a decoder, and one layer of it, as several models have them."""

from __future__ import annotations

from typing import Any

from ..nn import (
    POSITIONS,
    Attention,
    Block,
    CrossBlock,
    Dropout,
    Embedding,
    Init,
    LayerNorm,
    Module,
    Parameter,
    feed_forward_or_experts,
)


def layer(config: Any, init: Init, kind: str, decodes: bool = False) -> Block:
    """A block whose positions all see one another; one that ``decodes`` sees the earlier ones and
    a memory.

    config: has width, heads, hidden (four times the width if None), norm_first, eps, dropout and
    experts. kind: of the feed-forward layer, a name in FEED_FORWARDS.
    Matrices start as N(0, 1/n) for n inputs, so that what goes through keeps its size at any width.
    Source: LeCun et al. (1998), section 4.6.
    """
    c = config
    hidden, std = c.hidden or 4 * c.width, c.width ** -0.5

    def norm() -> LayerNorm:
        return LayerNorm(c.width, init, c.eps)

    def attention(**options: Any) -> Attention:
        return Attention(c.width, c.heads, init, out_std=std, dropout=c.dropout, std=std,
                         **options)

    def feed() -> Any:
        return feed_forward_or_experts(kind, c.width, hidden, init, hidden ** -0.5, c.experts,
                                       std)

    if not decodes:
        return Block(norm, attention(causal=False), feed(), c.norm_first, c.dropout)
    return CrossBlock(norm, attention(), attention(causal=False, cross=True), feed(),
                      c.norm_first, c.dropout)


class Embedded(Module):
    """What enters a stack: √C times the token's vector, plus the position's.  (B, T) -> (B, T, C).

    table: that of another part, to share it. config: has context, width, positions and dropout.

    The table starts as N(0, 1/C), so that the product has about the size of the waves.
    Source: Vaswani et al. (2017), section 3.4.
    """

    def __init__(self, entries: int, config: Any, init: Init,
                 table: Parameter | None = None):
        super().__init__()
        C = config.width
        self.tokens = Embedding(entries, C, init, C ** -0.5, table)
        self.positions = POSITIONS[config.positions](config.context, C, init)
        self.dropout = Dropout(config.dropout)

    def forward(self, ids, where, drops=None):
        x = self.tokens(ids)
        x *= x.dtype.type(x.shape[-1] ** 0.5)
        return self.dropout(self.positions.embed(x, where), drops)

    def backward(self, dy):
        dx = self.dropout.backward(dy)
        self.positions.embed_backward(dx)
        dx *= dx.dtype.type(dx.shape[-1] ** 0.5)
        self.tokens.backward(dx)
