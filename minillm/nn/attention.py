"""Multi-head attention, and the cache that makes generation cheap."""

from __future__ import annotations

import numpy as np

from .. import ops
from ..ops.scaled_dot_product import check_order
from .dropping import check_rate
from .layers import Linear
from .module import Module
from .parameters import Init
from .positions import NoPositions


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

    def select(self, rows: list[int]) -> None:
        """Row i becomes what row ``rows[i]`` was. Those that stay where they are are not copied."""
        more = len(rows) - len(self.keys)
        if more > 0:
            room = np.empty((more, *self.keys.shape[1:]), self.keys.dtype)
            self.keys, self.values = (np.concatenate((x, room)) for x in (self.keys, self.values))
        moved = [i for i, row in enumerate(rows) if row != i]
        for x in (self.keys, self.values):
            x[moved, :, :self.length] = x[[rows[i] for i in moved], :, :self.length]
        self.keys, self.values = self.keys[:len(rows)], self.values[:len(rows)]


class CrossCache(KeyValueCache):
    """A cache of a layer that also looks at a memory, whose keys and values are made only once.

    memory_keys, memory_values: (N, K, S, D), memory_mask: (N, 1, 1, S), or None if nothing is
    padding. Each of the N memories serves as many rows as the others, which stand together.
    """

    def __init__(self, keys, values, memory_keys, memory_values, memory_mask):
        super().__init__(keys, values)
        self.memory_keys, self.memory_values = memory_keys, memory_values
        self.memory_mask = memory_mask

    def select(self, rows: list[int]) -> None:
        which = np.array(rows, np.int64) // (len(self.keys) // len(self.memory_keys))
        ends = np.flatnonzero(np.append(np.diff(which), 1)) + 1  # of rows with one memory
        if len(set(np.diff(ends, prepend=0).tolist())) == 1:
            which = which[ends - 1]
        if which.tolist() != list(range(len(self.memory_keys))):
            self.memory_keys, self.memory_values = (
                x[which] for x in (self.memory_keys, self.memory_values))
            self.memory_mask = None if self.memory_mask is None else self.memory_mask[which]
        super().select(rows)


class Attention(Module):
    """Each position gathers from the positions it may see.  x: (B, T, C) -> y: (B, T, C).

    - kv_heads: heads of keys and values; each serves heads / kv_heads queries (grouped heads;
      one: multi-query). Source: Ainslie et al. (2023), section 2.2.
    - causal: no position looks at a later one; window: nor back beyond the last so many, its own
      included.
    - cross: keys and values are made of another sequence, ``memory`` (B, S, C).
    - positions: rotates queries and keys, or lowers scores by distance, see
      :mod:`minillm.nn.positions`.
    - bias: whether the four matrices have biases.
    - dropout: share of the weights that is dropped in training.
    - std, out_std: of the numbers that its matrices, and the last of them, start with.
    One product makes queries, keys and values of all heads. Source: Vaswani et al. (2017),
    section 3.2.2.
    """

    def __init__(self, width: int, heads: int, init: Init, causal: bool = True,
                 out_std: float = 0.02, kv_heads: int | None = None, cross: bool = False,
                 positions: NoPositions | None = None, bias: bool = True,
                 window: int | None = None, dropout: float = 0.0, std: float = 0.02):
        super().__init__()
        if width % heads:
            raise ValueError(f"width={width} does not divide into heads={heads} equal parts; "
                             f"choose a width that is a multiple of heads")
        self.heads, self.kv_heads = heads, heads if kv_heads is None else kv_heads
        if self.kv_heads < 1 or heads % self.kv_heads:
            raise ValueError(f"kv_heads={kv_heads}: expected a number that divides heads={heads}")
        slopes = None if positions is None else positions.bias(heads, np.arange(1))
        check_order(causal and not cross, window, slopes, heads)
        self.dropout = check_rate(dropout)
        self.causal, self.cross, self.positions, self.window = causal, cross, positions, window
        D = width // heads
        if cross:
            self.query = Linear(width, width, init, std, bias)
            self.key_value = Linear(width, 2 * self.kv_heads * D, init, std, bias)
        else:
            self.qkv = Linear(width, (heads + 2 * self.kv_heads) * D, init, std, bias)
        self.proj = Linear(width, width, init, std=out_std, bias=bias)

    def split(self, x, *heads: int):
        """(B, T, n D) -> a view (B, H, T, D) for each number of heads. Nothing is copied."""
        B, T, _ = x.shape
        x = x.reshape(B, T, -1, self.proj.w.shape[0] // self.heads).swapaxes(1, 2)
        return np.split(x, np.cumsum(heads)[:-1], axis=1)

    def project(self, x, memory):
        """Queries (B, H, T, D) of x, keys and values (B, K, S, D) of x or of ``memory``."""
        H, K = self.heads, self.kv_heads
        if self.cross:
            return *self.split(self.query(x), H), *self.split(self.key_value(memory), K, K)
        return self.split(self.qkv(x), H, K, K)

    def forward(self, x, mask=None, where=None, memory=None, drops=None):
        """mask: broadcasts to (B, H, T, S); where: positions of x, 0, 1, … if None; drops: as of
        Dropout."""
        self.where = np.arange(x.shape[1]) if where is None else where
        self.q, self.k, self.v = self.project(x, memory)
        if self.positions is not None:
            self.q, self.k = (self.positions.rotate(x, self.where) for x in (self.q, self.k))
        self.drop = None if drops is None else drops.draw(self.dropout)
        self.slopes = self.bias(self.where, x.dtype)
        self.mask, self.y = mask, self.saved("y", x.shape, x.dtype)
        _, self.kept = ops.attention(self.q, self.k, self.v, self.causal, mask, self.window,
                                     self.slopes, self.drop, out=self.split(self.y, self.heads)[0])
        return self.proj(self.y)

    def backward(self, dy, dmemory=None):
        """The gradient of x; that of the memory is added into ``dmemory``."""
        H, K, C = self.heads, self.kv_heads, dy.shape[-1]
        dy = self.proj.backward(dy)
        kv = 2 * K * C // H  # width of keys and values together
        if self.cross:
            dq = self.scratch("dq", dy.shape, dy.dtype)
            dkv = self.scratch("dkv", (*dmemory.shape[:-1], kv), dy.dtype)
            self.gradients(dy, *self.split(dq, H), *self.split(dkv, K, K))
            dmemory += self.key_value.backward(dkv)
            return self.query.backward(dq)
        dqkv = self.scratch("dqkv", (*dy.shape[:-1], C + kv), dy.dtype)
        self.gradients(dy, *self.split(dqkv, H, K, K))
        return self.qkv.backward(dqkv)

    def gradients(self, dy, dq, dk, dv):
        """Write the gradients of what ``project`` gave."""
        out = (dq, dk, dv)
        ops.attention_backward(
            self.split(dy, self.heads)[0], self.q, self.k, self.v,
            self.split(self.y, self.heads)[0], self.kept, self.causal, self.mask, self.window,
            self.slopes, self.drop, out=out)
        if self.positions is not None:
            for g in out[:2]:
                g[...] = self.positions.rotate_backward(g, self.where)

    def bias(self, where, dtype):
        """What a score of each head loses for each position back, (H,), or None."""
        slopes = None if self.positions is None else self.positions.bias(self.heads, where)
        return None if slopes is None else slopes.astype(dtype)

    def cache_shape(self, batch: int, context: int) -> tuple[int, int, int, int]:
        """(B, K, S, D), the shape of the keys of a cache."""
        return batch, self.kv_heads, context, self.proj.w.shape[0] // self.heads

    def extend(self, x, cache: KeyValueCache, start):
        """forward for new positions only, keeping their keys and values in ``cache``.

        x: (B, T, C), the positions after those in the cache; start: (B,) first valid position.
        """
        T = x.shape[1]
        where = np.arange(cache.length, cache.length + T) - start[:, None]
        q, k, v = self.project(x, None)
        slopes = self.bias(where, x.dtype)
        if self.positions is not None:
            q, k = self.positions.rotate(q, where), self.positions.rotate(k, where)
        keys, values = cache.append(k, v)
        y = self.saved("y", x.shape, x.dtype)
        out, = self.split(y, self.heads)
        if T == 1:
            begin = start if self.window is None else np.maximum(start, cache.length - self.window)
            ops.attention_decode(q[:, :, 0], keys, values, begin, slopes, out=out[:, :, 0])
        else:
            mask = (np.arange(cache.length) >= start[:, None])[:, None, None, :]
            ops.attention(q, keys, values, True, mask if start.any() else None, self.window,
                          slopes, out=out)
        return self.proj(y)

    def read(self, memory) -> tuple[np.ndarray, np.ndarray]:
        """The keys and values of a memory (B, S, C), for ``look``: (B, K, S, D) each, new."""
        keys, values = self.split(self.key_value(memory), self.kv_heads, self.kv_heads)
        return keys.copy(), values.copy()

    def look(self, x, keys, values, mask=None):
        """forward of cross-attention with keys and values that ``read`` has made before.

        x: (B, T, C), keys and values: (N, K, S, D), mask: (N, 1, 1, S). Memory i serves the rows
        from i B / N on: without an order among queries, more rows are only more positions.
        """
        q, = self.split(self.query(x.reshape(len(keys), -1, x.shape[-1])), self.heads)
        y = self.saved("y", (len(keys), q.shape[2], x.shape[-1]), x.dtype)
        ops.attention(q, keys, values, False, mask, out=self.split(y, self.heads)[0])
        return self.proj(y).reshape(x.shape)

    def weights(self):
        """How much each position of the last forward took from each, before dropout: (B, H, T, S).

        Computed again by the definition, for what wants to look at them: block by block no such
        matrix ever exists.
        """
        _, probs = ops.attention.numpy(self.q, self.k, self.v, self.causal and not self.cross,
                                       self.mask, self.window, self.slopes)
        return probs
