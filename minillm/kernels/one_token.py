"""One new token through all layers of a GPT, in one call.

For a single token every matrix product is a matrix times a vector: each weight is read once and
used once, so reading memory is all the work there is. Calling a dozen functions per layer then
costs as much as the arithmetic. The definition is the modules' ``extend``.
"""

from __future__ import annotations

import numpy as np

from .. import threads
from .activation import _gelu
from .compiling import COMPILED, OPTIONS, njit
from .exponential import exp
from .turns import is_last, new_turns, open_next, take, wait

PARTS = 4  # of a matrix's rows; few, so that each is a long stretch of memory
STAGES = 5  # of a layer

# The order in which a block's parameters are listed in ``starts``.
BLOCK = ("norm1.w", "norm1.b", "attention.qkv.w", "attention.qkv.b", "attention.proj.w",
         "attention.proj.b", "norm2.w", "norm2.b", "feed_forward.expand.w",
         "feed_forward.expand.b", "feed_forward.contract.w", "feed_forward.contract.b")


def decode(x, weights, starts, hidden, keys, values, length, norm, table, out):
    """Pass x (C,), the embedding of one token, through all blocks, in place; out = its scores.

    weights: all weights of the model; starts: (L, 12), where each block's parameters begin, in
    the order of BLOCK; hidden: F; keys, values: (L, 1, H, S, D) with positions 0 to length - 1
    filled; this token becomes position ``length``; norm: w and b (C,) of the last layer norm;
    table: (V, C) -> out (V,).
    """
    L, _, H, _, D = keys.shape
    C, F = H * D, hidden
    turns = new_turns(2 + STAGES * L)
    h, qkv, mixed, wide = (np.empty(n, x.dtype) for n in (C, 3 * C, C, F))
    sums = np.empty((PARTS, max(3 * C, F)), x.dtype)
    helpers = min(PARTS, threads.count()) if COMPILED else 1  # plain Python cannot take turns
    threads.run(lambda _: _decode(x, weights, starts, keys[:, 0], values[:, 0], length, *norm,
                                  table, out, h, qkv, mixed, wide, sums, turns), helpers)


@njit(**OPTIONS)
def _decode(x, weights, starts, keys, values, length, norm_w, norm_b, table, out,
            h, qkv, mixed, wide, sums, turns):
    """What each thread does. Between two stages the one that finished last works alone."""
    L, H, _, D = keys.shape
    C, F = x.size, wide.size
    stage = 0
    if take(turns, stage) == 0:
        _norm(x, weights[starts[0, 0]:starts[0, 0] + C], weights[starts[0, 1]:starts[0, 1] + C], h)
        open_next(turns, stage)
    wait(turns, stage)
    for layer in range(L):
        s = starts[layer]
        stage += 1
        if _product(h, weights[s[2]:s[2] + 3 * C * C].reshape(C, 3 * C), sums, turns, stage):
            _add(weights[s[3]:s[3] + 3 * C], sums, qkv)
            keys[layer, :, length] = qkv[C:2 * C].reshape(H, D)
            values[layer, :, length] = qkv[2 * C:].reshape(H, D)
            open_next(turns, stage)
        wait(turns, stage)
        stage += 1
        if _heads(qkv, keys[layer], values[layer], length + 1, mixed, turns, stage):
            open_next(turns, stage)
        wait(turns, stage)
        stage += 1
        if _product(mixed, weights[s[4]:s[4] + C * C].reshape(C, C), sums, turns, stage):
            _add(weights[s[5]:s[5] + C], sums, h)
            x += h
            _norm(x, weights[s[6]:s[6] + C], weights[s[7]:s[7] + C], h)
            open_next(turns, stage)
        wait(turns, stage)
        stage += 1
        if _product(h, weights[s[8]:s[8] + C * F].reshape(C, F), sums, turns, stage):
            _add(weights[s[9]:s[9] + F], sums, wide)
            _gelu(wide, wide)
            open_next(turns, stage)
        wait(turns, stage)
        stage += 1
        if _product(wide, weights[s[10]:s[10] + F * C].reshape(F, C), sums, turns, stage):
            _add(weights[s[11]:s[11] + C], sums, h)
            x += h
            if layer + 1 < L:
                s = starts[layer + 1]
                _norm(x, weights[s[0]:s[0] + C], weights[s[1]:s[1] + C], h)
            else:
                _norm(x, norm_w, norm_b, h)
            open_next(turns, stage)
        wait(turns, stage)
    if _scores(h, table, out, turns, stage + 1):
        open_next(turns, stage + 1)
    wait(turns, stage + 1)


@njit(**OPTIONS)
def _norm(x, w, b, y):
    n = x.dtype.type(x.size)
    mean = x.dtype.type(0)
    for i in range(x.size):
        mean += x[i]
    mean /= n
    var = x.dtype.type(0)
    for i in range(x.size):
        var += (x[i] - mean) * (x[i] - mean)
    rstd = x.dtype.type(1) / np.sqrt(var / n + x.dtype.type(1e-5))
    for i in range(x.size):
        y[i] = w[i] * ((x[i] - mean) * rstd) + b[i]


@njit(**OPTIONS)
def _product(x, w, sums, turns, stage):
    """Some parts of x w, into ``sums``; was one of them the last?  x: (C,), w: (C, F).

    Each part of the rows is summed by itself: memory is read fastest in one long stretch. The
    parts do not depend on the number of threads, so neither does the result.
    """
    C, F = w.shape
    last = False
    while True:
        p = take(turns, stage)
        if p >= PARTS:
            return last
        total = sums[p, :F]
        total[:] = 0
        i, end = p * C // PARTS, (p + 1) * C // PARTS
        while i + 8 <= end:
            _add_eight_rows(x[i:i + 8], w[i:i + 8], total)
            i += 8
        while i < end:
            row = w[i]
            for j in range(F):
                total[j] += x[i] * row[j]
            i += 1
        last = is_last(turns, stage, PARTS)


@njit(**OPTIONS)
def _add(b, sums, y):
    """y = b + the sum of the parts.  b, y: (F,), sums: (PARTS, at least F)."""
    y[:] = b
    for p in range(PARTS):
        for j in range(y.size):
            y[j] += sums[p, j]


@njit(**OPTIONS)
def _add_eight_rows(x, w, total):
    """total += x w.  x: (8,), w: (8, F). At once, so that ``total`` is read an eighth as often."""
    x0, x1, x2, x3, x4, x5, x6, x7 = x
    for j in range(total.size):
        total[j] += (x0 * w[0, j] + x1 * w[1, j] + x2 * w[2, j] + x3 * w[3, j]
                     + x4 * w[4, j] + x5 * w[5, j] + x6 * w[6, j] + x7 * w[7, j])


@njit(**OPTIONS)
def _heads(q, keys, values, length, y, turns, stage):
    """Some heads' attention over positions 0 to length - 1; was one of them the last?

    q: (at least H D,), keys and values: (H, S, D) -> y: (H D,).
    """
    H, _, D = keys.shape
    scale = q.dtype.type(1 / np.sqrt(D))
    weight = np.empty(length, q.dtype)
    last = False
    while True:
        h = take(turns, stage)
        if h >= H:
            return last
        top = q.dtype.type(-np.inf)
        query, out = q[h * D:(h + 1) * D], y[h * D:(h + 1) * D]
        for s in range(length):
            key = keys[h, s]
            score = q.dtype.type(0)
            for d in range(D):
                score += query[d] * key[d]
            weight[s] = score * scale
            top = max(top, weight[s])
        total = q.dtype.type(0)
        for s in range(length):
            weight[s] = exp(weight[s] - top)
            total += weight[s]
        out[:] = 0
        for s in range(length):
            share, value = weight[s] / total, values[h, s]
            for d in range(D):
                out[d] += share * value[d]
        last = is_last(turns, stage, H)


@njit(**OPTIONS)
def _scores(h, table, out, turns, stage):
    """Some parts of out = table h; was one of them the last?  h: (C,), table: (V, C) -> (V,)."""
    V, C = table.shape
    last = False
    while True:
        p = take(turns, stage)
        if p >= PARTS:
            return last
        for v in range(p * V // PARTS, (p + 1) * V // PARTS):
            row = table[v]
            score = h.dtype.type(0)
            for c in range(C):
                score += h[c] * row[c]
            out[v] = score
        last = is_last(turns, stage, PARTS)
