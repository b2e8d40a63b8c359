"""Block-wise attention: tiles of 64 queries by 64 keys, never a whole T x S matrix.

Softmax is taken online: each new tile of scores may raise a row's maximum, and then what was
summed so far is scaled down. Only the logarithm of each row's normalizer is kept; backward
computes the probabilities of a tile again from it. Memory grows with T, not with T².
Sources: Milakov & Gimelshein (2018), algorithm 3; Dao et al. (2022), algorithms 1 and 4.
"""

from __future__ import annotations

import numpy as np
from numba.core.imputils import impl_ret_borrowed

from .. import threads
from ..ops.scaled_dot_product import check_groups, check_order
from .arrays import PARTS, apart
from .attention_tiles import (
    cut_tiles,
    drop_weights,
    join_tiles,
    limit_scores,
    rules_of,
    seen_tiles,
    slopes_of,
    tile_size,
)
from .compiling import OPTIONS, instruction, njit
from .exponential import exp
from .tiles import LANES, multiply_add

PRODUCTS = 1 << 21  # multiplications that are worth a part of their own


def attention(q, k, v, causal=False, mask=None, window=None, slopes=None, drop=None, out=None):
    B, H, T, _ = q.shape
    q, k, v = apart(q, out), apart(k, out), apart(v, out)
    y = np.empty((B, H, T, v.shape[3]), q.dtype) if out is None else out
    log_normalizers = np.empty((B, H, T), q.dtype)
    rules = rules_of(q, k, causal, mask, window, slopes, drop)
    _by_heads(_attention, H, q, v, q, k, v, rules, y, log_normalizers)
    return y, log_normalizers


def attention_backward(dy, q, k, v, y, saved, causal=False, mask=None, window=None, slopes=None,
                       drop=None, out=None):
    if saved.ndim != 3:
        raise ValueError("saved comes from the numpy definition; run attention and "
                         "attention_backward under one backend")
    if saved.shape != q.shape[:3]:
        raise ValueError(f"saved has shape {saved.shape}; expected {q.shape[:3]}, as attention "
                         "returned it for these queries")
    dq, dk, dv = out if out is not None else (np.empty(x.shape, x.dtype) for x in (q, k, v))
    _by_heads(_attention_backward, k.shape[1], q, v, dy, q, k, v, y, saved,
              rules_of(q, k, causal, mask, window, slopes, drop), dq, dk, dv)
    return dq, dk, dv


def attention_decode(q, keys, values, start, slopes=None, out=None):
    check_order(True, None, slopes, q.shape[1])
    check_groups(q, keys)
    y = np.empty((*q.shape[:2], values.shape[3]), q.dtype) if out is None else out
    _by_heads(_attention_decode, q.shape[1], q[:, :, None], values, q, in_a_row(keys),
              in_a_row(values), np.ascontiguousarray(start, np.int64), slopes is not None,
              slopes_of(slopes, q), y)
    return y


def in_a_row(x):
    """x (B, H, S, D), or a copy of it, whose S D numbers of a head lie one after another."""
    return x if x.strides[2:] == (x.shape[3] * x.itemsize, x.itemsize) else np.ascontiguousarray(x)


@instruction(lambda x: x)
def contiguous(typing_context, x):
    """An array that lies in a row, of the type that says so: its loops become vector instructions.

    A head of a cache that is not full is such an array, of which the compiler does not know.
    """
    def generate(context, builder, signature, values):
        return impl_ret_borrowed(context, builder, signature.return_type, values[0])
    return x.copy(layout="C")(x), generate


def _by_heads(kernel, heads, q, v, *arguments):
    """kernel(first, end, *arguments) for so many heads of each row, cut into parts."""
    (B, H, *sizes), N = q.shape, len(q) * heads
    T, D, S, W = [-(-n // LANES) * LANES for n in (*sizes, *v.shape[2:])]  # what the tiles hold
    parts = threads.parts(min(PARTS, N), B * H * T * S * (D + W), PRODUCTS)
    if parts == 1:
        kernel(0, N, *arguments)
    else:
        threads.run(lambda p: kernel(p * N // parts, (p + 1) * N // parts, *arguments), parts)


@njit(**OPTIONS)
def _attention(first, end, q, k, v, rules, y, log_normalizers):
    H, group = q.shape[1], q.shape[1] // k.shape[1]
    for i in range(first, end):
        b, h = i // H, i % H
        n = h // group
        _attend(q[b, h], k[b, n], v[b, n], rules, b, h, y[b, h], log_normalizers[b, h])


@njit(**OPTIONS)
def _attend(q, k, v, rules, b, h, y, log_normalizers):
    """Attention of one head: q (T, D), k (S, D), v (S, W) -> y (T, W), log-normalizers (T,)."""
    T, D = q.shape
    S, W = v.shape
    queries, keys = tile_size(T, S)
    k_tiles, v_tiles = cut_tiles(k, keys, False), cut_tiles(v, keys, False)
    qt_tiles = cut_tiles(q, queries, True)
    qt_tiles *= q.dtype.type(1 / np.sqrt(D))
    scores = np.empty((keys, queries), q.dtype)
    for block in range(qt_tiles.shape[0]):
        first = block * queries
        rows = min(queries, T - first)
        top = np.full(queries, -np.inf, q.dtype)
        total = np.zeros(queries, q.dtype)
        mixed = np.zeros((queries, v_tiles.shape[2]), q.dtype)
        for tile in range(*seen_tiles(first, rows, keys, T, S, rules)):
            scores[:] = 0
            multiply_add(k_tiles[tile], qt_tiles[block], scores)
            limit_scores(scores, first, tile * keys, rows, T, S, rules, b, h)
            shrink = _exponentials(scores, top, total)
            if rules.dropping:
                drop_weights(scores, first, tile * keys, rows, rules, b, h)
            for i in range(queries):
                if shrink[i] != 1:
                    for d in range(mixed.shape[1]):
                        mixed[i, d] *= shrink[i]
            multiply_add(scores.T, v_tiles[tile], mixed)
        for i in range(rows):
            seen = total[i] != 0  # also true for NaN
            for d in range(W):
                y[first + i, d] = mixed[i, d] / total[i] if seen else q.dtype.type(0)
            log_normalizers[first + i] = top[i] + np.log(total[i]) if seen else np.inf


@njit(**OPTIONS)
def _exponentials(scores, top, total):
    """Turn scores (keys, queries) into exp(score - top) and add them to ``total``.

    ``top`` is each query's maximum so far. Returns the factor by which what was summed with the
    maximum before has to shrink. All loops run along the queries, which are vectors to the
    processor; a sum or maximum along them would have to be added up across a vector.
    """
    shrink, shift = np.empty_like(top), np.empty_like(top)
    for i in range(top.size):
        shrink[i] = top[i]
    for j in range(scores.shape[0]):
        for i in range(top.size):
            top[i] = max(top[i], scores[j, i])
    for i in range(top.size):
        shift[i] = top[i] if top[i] > -np.inf else scores.dtype.type(0)
        shrink[i] = exp(shrink[i] - shift[i])
        total[i] *= shrink[i]
    for j in range(scores.shape[0]):
        for i in range(top.size):
            scores[j, i] = exp(scores[j, i] - shift[i])
            total[i] += scores[j, i]
    return shrink


@njit(**OPTIONS)
def _attention_backward(first, end, dy, q, k, v, y, log_normalizers, rules, dq, dk, dv):
    K, group = k.shape[1], q.shape[1] // k.shape[1]
    S = k.shape[2]
    _, keys = tile_size(q.shape[2], S)
    for i in range(first, end):
        b, n = i // K, i % K
        k_tiles, v_tiles = cut_tiles(k[b, n], keys, False), cut_tiles(v[b, n], keys, False)
        dk_tiles, dv_tiles = np.zeros_like(k_tiles), np.zeros_like(v_tiles)
        for h in range(n * group, (n + 1) * group):
            _attend_backward(dy[b, h], q[b, h], k_tiles, v_tiles, S, y[b, h],
                             log_normalizers[b, h], rules, b, h, dq[b, h], dk_tiles, dv_tiles)
        join_tiles(dk_tiles, dk[b, n])
        join_tiles(dv_tiles, dv[b, n])


@njit(**OPTIONS)
def _attend_backward(dy, q, k_tiles, v_tiles, S, y, log_normalizers, rules, b, h, dq, dk_tiles,
                     dv_tiles):
    """Gradients of one head, tile by tile: dv += Pᵀ dy, dS = P (dy vᵀ - ⟨dy, y⟩), dq = dS k / √D,
    dk += dSᵀ q / √D, where P = exp(S - log-normalizer) is computed again."""
    (T, D), W = q.shape, y.shape[1]
    queries, keys = tile_size(T, S)
    q_tiles, dy_tiles = cut_tiles(q, queries, False), cut_tiles(dy, queries, False)
    qt_tiles, dyt_tiles = cut_tiles(q, queries, True), cut_tiles(dy, queries, True)
    dq_tiles = np.zeros_like(q_tiles)
    scale = q.dtype.type(1 / np.sqrt(D))
    q_tiles *= scale
    qt_tiles *= scale
    p = np.empty((keys, queries), q.dtype)
    ds = np.empty((keys, queries), q.dtype)
    normalizer = np.empty(queries, q.dtype)
    inner = np.empty(queries, q.dtype)
    for block in range(q_tiles.shape[0]):
        first = block * queries
        rows = min(queries, T - first)
        normalizer[:] = np.inf
        inner[:] = 0
        for i in range(rows):
            normalizer[i] = log_normalizers[first + i]
            for d in range(W):
                inner[i] += dy[first + i, d] * y[first + i, d]
        for tile in range(*seen_tiles(first, rows, keys, T, S, rules)):
            p[:] = 0
            multiply_add(k_tiles[tile], qt_tiles[block], p)
            limit_scores(p, first, tile * keys, rows, T, S, rules, b, h)
            ds[:] = 0
            multiply_add(v_tiles[tile], dyt_tiles[block], ds)
            if rules.dropping:
                drop_weights(ds, first, tile * keys, rows, rules, b, h)
            _softmax_backward(p, ds, normalizer, inner)
            if rules.dropping:
                drop_weights(p, first, tile * keys, rows, rules, b, h)
            multiply_add(p, dy_tiles[block], dv_tiles[tile])
            multiply_add(ds, q_tiles[block], dk_tiles[tile])
            multiply_add(ds.T, k_tiles[tile], dq_tiles[block])
    join_tiles(dq_tiles, dq)
    dq *= scale


@njit(**OPTIONS)
def _softmax_backward(p, ds, normalizer, inner):
    """Turn scores into probabilities p, and the gradients ``ds`` of p into those of the scores."""
    for j in range(p.shape[0]):
        for i in range(p.shape[1]):
            p[j, i] = exp(p[j, i] - normalizer[i])
            ds[j, i] = p[j, i] * (ds[j, i] - inner[i])


@njit(**OPTIONS)
def _attention_decode(first, end, q, keys, values, start, sloped, slopes, y):
    _, H, D = q.shape
    S, W = values.shape[2:]
    group = H // keys.shape[1]
    scale = q.dtype.type(1 / np.sqrt(D))
    for i in range(first, end):
        b, h = i // H, i % H
        k, v = contiguous(keys[b, h // group]), contiguous(values[b, h // group])
        query = q[b, h].copy()
        scores = np.empty(S, q.dtype)
        top = q.dtype.type(-np.inf)
        for s in range(start[b], S):
            score = q.dtype.type(0)
            for d in range(D):
                score += query[d] * k[s, d]
            scores[s] = score * scale
            if sloped:
                scores[s] -= slopes[h] * (S - 1 - s)
            top = max(top, scores[s])
        total = q.dtype.type(0)
        mixed = np.zeros(W, q.dtype)
        for s in range(start[b], S):
            p = exp(scores[s] - top)
            total += p
            for d in range(W):
                mixed[d] += p * v[s, d]
        for d in range(W):
            y[b, h, d] = mixed[d] / total if total != 0 else q.dtype.type(0)
