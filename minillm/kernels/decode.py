"""One new token through all layers of a GPT, in one call.

For a single token every matrix product is a matrix times a vector: each weight is read once and
used once, so reading memory is all the work there is. Calling a dozen functions per layer then
costs as much as the arithmetic. The definition is the modules' ``extend``.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange

from .arrays import OPTIONS
from .exponential import exp, tanh

INNER = OPTIONS | {"parallel": False}
ROOT, CUBIC = 0.7978845608028654, 0.044715

# The order in which a block's parameters are listed in ``starts``.
BLOCK = ("norm1.w", "norm1.b", "attention.qkv.w", "attention.qkv.b", "attention.proj.w",
         "attention.proj.b", "norm2.w", "norm2.b", "feed_forward.expand.w",
         "feed_forward.expand.b", "feed_forward.contract.w", "feed_forward.contract.b")


def decode(x, weights, starts, hidden, keys, values, length, first):
    """Pass x (C,), the embedding of one token, through all blocks, in place.

    weights: all weights of the model; starts: (L, 12), where each block's parameters begin, in
    the order of BLOCK; hidden: F; keys, values: (L, 1, H, S, D) with positions first to length - 1
    filled; this token becomes position ``length``.
    """
    _decode(x, weights, starts, hidden, keys, values, length, first, get_num_threads())


def scores(h, table, out):
    """out = table h.  table: (V, C), h: (C,) -> (V,)."""
    _scores(h, table, out)


@njit(**INNER)
def _decode(x, weights, starts, hidden, keys, values, length, first, parts):
    L, _, H, _, D = keys.shape
    C, F = H * D, hidden
    h, qkv, wide = np.empty(C, x.dtype), np.empty(3 * C, x.dtype), np.empty(F, x.dtype)
    mixed, change = np.empty(C, x.dtype), np.empty(C, x.dtype)
    for layer in range(L):
        s = starts[layer]
        _norm(x, weights[s[0]:s[0] + C], weights[s[1]:s[1] + C], h)
        _product(h, weights[s[2]:s[2] + 3 * C * C].reshape(C, 3 * C),
                 weights[s[3]:s[3] + 3 * C], qkv, parts)
        keys[layer, 0, :, length] = qkv[C:2 * C].reshape(H, D)
        values[layer, 0, :, length] = qkv[2 * C:].reshape(H, D)
        _heads(qkv, keys[layer, 0], values[layer, 0], length + 1, first, mixed)
        _product(mixed, weights[s[4]:s[4] + C * C].reshape(C, C), weights[s[5]:s[5] + C], change,
                 parts)
        x += change
        _norm(x, weights[s[6]:s[6] + C], weights[s[7]:s[7] + C], h)
        _product(h, weights[s[8]:s[8] + C * F].reshape(C, F), weights[s[9]:s[9] + F],
                 wide, parts)
        _gelu(wide)
        _product(wide, weights[s[10]:s[10] + F * C].reshape(F, C), weights[s[11]:s[11] + C],
                 change, parts)
        x += change


@njit(**INNER)
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


@njit(**INNER)
def _gelu(x):
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    root, cubic = x.dtype.type(ROOT), x.dtype.type(CUBIC)
    for i in range(x.size):
        v = x[i]
        x[i] = half * v * (one + tanh(root * (v + cubic * v * v * v), one))


@njit(**OPTIONS)
def _product(x, w, b, y, parts):
    """y = x w + b.  x: (C,), w: (C, F); each of ``parts`` takes some of the columns.

    As many parts as threads, because memory is read fastest in long stretches. The sum of a column
    is in one part in any case, so results do not depend on their number.
    """
    C, F = w.shape
    whole = C // 4 * 4
    for p in prange(parts):
        left, right = p * F // parts, (p + 1) * F // parts
        part = y[left:right]  # slices, so that the inner loops count from 0 and vectorize
        part[:] = b[left:right]
        for i in range(0, whole, 4):  # four rows at a time, so that y is read a quarter as often
            x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            w0, w1 = w[i, left:right], w[i + 1, left:right]
            w2, w3 = w[i + 2, left:right], w[i + 3, left:right]
            for j in range(part.size):
                part[j] += x0 * w0[j] + x1 * w1[j] + x2 * w2[j] + x3 * w3[j]
        for i in range(whole, C):
            row = w[i, left:right]
            for j in range(part.size):
                part[j] += x[i] * row[j]


@njit(**OPTIONS)
def _heads(q, keys, values, length, first, y):
    """Attention of one query per head over positions first to length - 1.

    q: (at least H D,), keys and values: (H, S, D) -> y: (H D,).
    """
    H, _, D = keys.shape
    scale = q.dtype.type(1 / np.sqrt(D))
    for h in prange(H):
        weight = np.empty(length, q.dtype)
        top = q.dtype.type(-np.inf)
        query, out = q[h * D:(h + 1) * D], y[h * D:(h + 1) * D]
        for s in range(first, length):
            key = keys[h, s]
            score = q.dtype.type(0)
            for d in range(D):
                score += query[d] * key[d]
            weight[s] = score * scale
            top = max(top, weight[s])
        total = q.dtype.type(0)
        for s in range(first, length):
            weight[s] = exp(weight[s] - top)
            total += weight[s]
        out[:] = 0
        for s in range(first, length):
            share, value = weight[s] / total, values[h, s]
            for d in range(D):
                out[d] += share * value[d]


@njit(**OPTIONS)
def _scores(h, table, out):
    for v in prange(table.shape[0]):
        score = h.dtype.type(0)
        for c in range(table.shape[1]):
            score += h[c] * table[v, c]
        out[v] = score
