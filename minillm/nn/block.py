"""One layer of a Transformer, and a stack of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .attention import Attention, CrossCache, KeyValueCache
from .dropping import Dropout
from .module import Module, share_scratch


class Block(Module):
    """Attention and a feed-forward layer, each added to the residual stream.  (B, T, C) -> same.

    norm: makes a norm; each part gets one. With ``norm_first`` (GPT-2) the stream is
    x + f(norm(x)); without (GPT-1, the original Transformer) it is norm(x + f(x)).
    dropout: share of what the parts add that is dropped in training.
    Source: Xiong et al. (2020), table 1.
    """

    def __init__(self, norm: Callable[[], Any], attention: Attention, feed_forward: Any,
                 norm_first: bool = True, dropout: float = 0.0):
        super().__init__()
        self.norm_first = norm_first
        self.norm1, self.attention = norm(), attention
        self.norm2, self.feed_forward = norm(), feed_forward
        self.drop1, self.drop2 = Dropout(dropout), Dropout(dropout)

    def forward(self, x, mask=None, where=None, *, drops=None):
        middle, y = self.saved("middle", x.shape, x.dtype), self.saved("y", x.shape, x.dtype)
        if self.norm_first:
            branch = self.attention(self.norm1(x), mask, where, drops=drops)
            np.add(x, self.drop1(branch, drops), out=middle)
            branch = self.feed_forward(self.norm2(middle))
            return np.add(middle, self.drop2(branch, drops), out=y)
        branch = self.attention(x, mask, where, drops=drops)
        x = self.norm1(np.add(x, self.drop1(branch, drops), out=middle))
        return self.norm2(np.add(x, self.drop2(self.feed_forward(x), drops), out=y))

    def backward(self, dy):
        """Adds each part's gradient into ``dy``, the residual stream's, and returns it."""
        dx = dy
        if self.norm_first:
            dbranch = self.feed_forward.backward(self.drop2.backward(dx))
            dx += self.norm2.backward(dbranch)
            dbranch = self.attention.backward(self.drop1.backward(dx))
            dx += self.norm1.backward(dbranch)
            return dx
        dx = self.norm2.backward(dx)
        dx += self.feed_forward.backward(self.drop2.backward(dx))
        dx = self.norm1.backward(dx)
        dx += self.attention.backward(self.drop1.backward(dx))
        return dx

    def extend(self, x, cache: KeyValueCache, start):
        """forward for new positions only; see Attention.extend."""
        y = self.saved("y", x.shape, x.dtype)
        if self.norm_first:
            x = x + self.attention.extend(self.norm1(x), cache, start)
            return np.add(x, self.feed_forward(self.norm2(x)), out=y)
        x = self.norm1(x + self.attention.extend(x, cache, start))
        return self.norm2(np.add(x, self.feed_forward(x), out=y))


class CrossBlock(Block):
    """A Block with a second attention between the two, which looks at another sequence's vectors.

    cross: an Attention with ``cross=True``; memory: (B, S, C), the vectors that it looks at.
    Source: Vaswani et al. (2017), section 3.1.
    """

    def __init__(self, norm: Callable[[], Any], attention: Attention, cross: Attention,
                 feed_forward: Any, norm_first: bool = True, dropout: float = 0.0):
        super().__init__(norm, attention, feed_forward, norm_first, dropout)
        self.norm_cross, self.cross, self.drop_cross = norm(), cross, Dropout(dropout)

    def forward(self, x, mask=None, where=None, memory=None, memory_mask=None, *, drops=None):
        middle, between, y = (self.saved(name, x.shape, x.dtype)
                              for name in ("middle", "between", "y"))
        look = {"memory": memory, "drops": drops}
        if self.norm_first:
            branch = self.attention(self.norm1(x), mask, where, drops=drops)
            np.add(x, self.drop1(branch, drops), out=middle)
            branch = self.cross(self.norm_cross(middle), memory_mask, **look)
            np.add(middle, self.drop_cross(branch, drops), out=between)
            branch = self.feed_forward(self.norm2(between))
            return np.add(between, self.drop2(branch, drops), out=y)
        branch = self.attention(x, mask, where, drops=drops)
        x = self.norm1(np.add(x, self.drop1(branch, drops), out=middle))
        branch = self.cross(x, memory_mask, **look)
        x = self.norm_cross(np.add(x, self.drop_cross(branch, drops), out=between))
        return self.norm2(np.add(x, self.drop2(self.feed_forward(x), drops), out=y))

    def backward(self, dy, dmemory):  # type: ignore[override]
        """As of Block; the gradient of the memory is added into ``dmemory``."""
        dx = dy
        if self.norm_first:
            dbranch = self.feed_forward.backward(self.drop2.backward(dx))
            dx += self.norm2.backward(dbranch)
            dbranch = self.cross.backward(self.drop_cross.backward(dx), dmemory)
            dx += self.norm_cross.backward(dbranch)
            dbranch = self.attention.backward(self.drop1.backward(dx))
            dx += self.norm1.backward(dbranch)
            return dx
        dx = self.norm2.backward(dx)
        dx += self.feed_forward.backward(self.drop2.backward(dx))
        dx = self.norm_cross.backward(dx)
        dx += self.cross.backward(self.drop_cross.backward(dx), dmemory)
        dx = self.norm1.backward(dx)
        dx += self.attention.backward(self.drop1.backward(dx))
        return dx

    def cache(self, part: KeyValueCache, memory, mask) -> CrossCache:
        """An empty ``part`` of a cache, with what this block reads of the memory."""
        return CrossCache(part.keys, part.values, *self.cross.read(memory), mask)

    def extend(self, x, cache: CrossCache, start):  # type: ignore[override]
        """As of Block; what it looks at is in ``cache`` too."""
        y = self.saved("y", x.shape, x.dtype)
        memory = cache.memory_keys, cache.memory_values, cache.memory_mask
        if self.norm_first:
            x = x + self.attention.extend(self.norm1(x), cache, start)
            x = x + self.cross.look(self.norm_cross(x), *memory)
            return np.add(x, self.feed_forward(self.norm2(x)), out=y)
        x = self.norm1(x + self.attention.extend(x, cache, start))
        x = self.norm_cross(x + self.cross.look(x, *memory))
        return self.norm2(np.add(x, self.feed_forward(x), out=y))


class Stack(Module):
    """Blocks, one after another; they share their scratch memory.

    ``tap``, a function (i, x), is shown the residual stream before the first block (i = 0) and
    after each (i = 1, …). It may write into x; backward takes no notice of that.
    """

    def __init__(self, blocks: list[Block]):
        super().__init__()
        self.blocks = blocks
        self.tap: Callable[[int, np.ndarray], Any] | None = None
        share_scratch(blocks)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        share_scratch(self.blocks)

    def children(self) -> Iterator[tuple[str, Module]]:
        yield from ((str(i), block) for i, block in enumerate(self.blocks))

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, i: int) -> Block:
        return self.blocks[i]

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def forward(self, x, *args, **kwargs):
        self.show(0, x)
        for i, block in enumerate(self.blocks, 1):
            x = block(x, *args, **kwargs)
            self.show(i, x)
        return x

    def backward(self, dy, *args):
        for block in reversed(self.blocks):
            dy = block.backward(dy, *args)
        return dy

    def extend(self, x, cache: list[KeyValueCache], start):
        """forward for new positions only, with a part of ``cache`` for each block."""
        self.show(0, x)
        for i, (block, part) in enumerate(zip(self.blocks, cache, strict=True), 1):
            x = block.extend(x, part, start)
            self.show(i, x)
        return x

    def show(self, i: int, x) -> None:
        if self.tap is not None:
            self.tap(i, x)

    def new_cache(self, batch: int, context: int, dtype) -> list[KeyValueCache]:
        """An empty key-value cache: a part for each block, all in one array (L, B, H, S, D)."""
        keys = np.empty((len(self), *self[0].attention.cache_shape(batch, context)), dtype)
        values = np.empty_like(keys)
        return [KeyValueCache(*part) for part in zip(keys, values, strict=True)]
