"""Block-wise attention: tiles of 64 queries by 64 keys, never a whole T x S matrix.

Softmax is taken online: each new tile of scores may raise a row's maximum, and then what was
summed so far is scaled down. Only the logarithm of each row's normalizer is kept; backward
computes the probabilities of a tile again from it. Memory grows with T, not with T².
Sources: Milakov & Gimelshein (2018), algorithm 3; Dao et al. (2022), algorithms 1 and 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from .arrays import FAST, OPTIONS, apart
from .exponential import exp
from .tiles import multiply_add, multiply_transposed_add

QUERIES, KEYS = 64, 64  # rows and columns of a tile
INNER: dict[str, Any] = {"fastmath": FAST, "error_model": "numpy", "cache": True}


def attention(q, k, v, causal=False, mask=None, out=None):
    B, H, T, _ = q.shape
    q, k, v = apart(q, out), apart(k, out), apart(v, out)
    y = np.empty((B, H, T, v.shape[3]), q.dtype) if out is None else out
    log_normalizers = np.empty((B, H, T), q.dtype)
    _attention(q, k, v, causal, *_mask(mask, q, k), y, log_normalizers)
    return y, log_normalizers


def attention_backward(dy, q, k, v, y, saved, causal=False, mask=None, out=None):
    if saved.ndim != 3:
        raise ValueError("saved comes from the numpy definition; run attention and "
                         "attention_backward under one backend")
    dq, dk, dv = out if out is not None else (np.empty(x.shape, x.dtype) for x in (q, k, v))
    _attention_backward(dy, q, k, v, y, saved, causal, *_mask(mask, q, k), dq, dk, dv)
    return dq, dk, dv


def attention_decode(q, keys, values, start, out=None):
    y = np.empty((*q.shape[:2], values.shape[3]), q.dtype) if out is None else out
    _attention_decode(q, keys, values, np.ascontiguousarray(start, np.int64), y)
    return y


def _mask(mask, q, k):
    """(is there a mask, the mask as a (B, H, T, S) view); a stand-in of one element if not."""
    if mask is None:
        return False, np.broadcast_to(np.True_, (1, 1, 1, 1))
    return True, np.broadcast_to(mask, (*q.shape[:3], k.shape[2]))


@njit(**OPTIONS)
def _attention(q, k, v, causal, masked, mask, y, log_normalizers):
    B, H = q.shape[:2]
    for i in prange(B * H):
        b, h = i // H, i % H
        m = mask[b, h] if masked else mask[0, 0]
        _attend(q[b, h], k[b, h], v[b, h], causal, masked, m, y[b, h], log_normalizers[b, h])


@njit(**INNER)
def _attend(q, k, v, causal, masked, mask, y, log_normalizers):
    """Attention of one head: q (T, D), k (S, D), v (S, W) -> y (T, W), log-normalizers (T,)."""
    T, D = q.shape
    S, W = v.shape
    queries, keys = _tile_size(T, S)
    kt, v_tiles = _tiles(k, keys, True), _tiles(v, keys, False)
    width = v_tiles.shape[2]
    scale = q.dtype.type(1 / np.sqrt(D))
    scores = np.empty((queries, keys), q.dtype)
    for first in range(0, T, queries):
        rows = min(queries, T - first)
        q_tile = np.zeros((queries, kt.shape[1]), q.dtype)
        for i in range(rows):
            for d in range(D):
                q_tile[i, d] = q[first + i, d] * scale
        top = np.full(queries, -np.inf, q.dtype)
        total = np.zeros(queries, q.dtype)
        mixed = np.zeros((queries, width), q.dtype)
        end = min(S, first + rows + S - T) if causal else S  # keys that some row may see
        for tile in range((end + keys - 1) // keys):
            scores[:] = 0
            multiply_add(q_tile, kt[tile], scores)
            _forbid(scores, first, tile * keys, rows, T, S, causal, masked, mask)
            for i in range(queries):
                row = scores[i]
                before = top[i]
                highest = before
                for j in range(keys):
                    highest = max(highest, row[j])
                shift = highest if highest > -np.inf else q.dtype.type(0)
                tile_sum = q.dtype.type(0)
                for j in range(keys):
                    row[j] = exp(row[j] - shift)
                    tile_sum += row[j]
                shrink = exp(before - shift)
                top[i] = highest
                total[i] = total[i] * shrink + tile_sum
                if shrink != 1:
                    for d in range(width):
                        mixed[i, d] *= shrink
            multiply_add(scores, v_tiles[tile], mixed)
        for i in range(rows):
            seen = total[i] != 0  # also true for NaN
            for d in range(W):
                y[first + i, d] = mixed[i, d] / total[i] if seen else q.dtype.type(0)
            log_normalizers[first + i] = top[i] + np.log(total[i]) if seen else np.inf


@njit(**INNER)
def _tile_size(T, S):
    """(queries, keys) of a tile; short texts get smaller ones, in multiples of 4."""
    return min(QUERIES, (T + 3) // 4 * 4), min(KEYS, (S + 3) // 4 * 4)


@njit(**INNER)
def _tiles(x, size, transposed):
    """x (N, D) cut into tiles of ``size`` rows, padded with zeros: (n, size, D') or its transpose,
    (n, D', size), where D' is D rounded up to a multiple of 4."""
    N, D = x.shape
    count, width = (N + size - 1) // size, (D + 3) // 4 * 4
    shape = (count, width, size) if transposed else (count, size, width)
    tiles = np.zeros(shape, x.dtype)
    for i in range(N):
        for d in range(D):
            if transposed:
                tiles[i // size, d, i % size] = x[i, d]
            else:
                tiles[i // size, i % size, d] = x[i, d]
    return tiles


@njit(**INNER)
def _forbid(scores, first, first_key, rows, T, S, causal, masked, mask):
    """Set the scores of keys that a query may not see, or that do not exist, to -inf."""
    for i in range(scores.shape[0]):
        end = min(S, first + i + S - T + 1) if causal else S
        for j in range(max(end - first_key, 0), scores.shape[1]):
            scores[i, j] = -np.inf
        if masked and i < rows:
            for j in range(min(end - first_key, scores.shape[1])):
                if not mask[first + i, first_key + j]:
                    scores[i, j] = -np.inf


@njit(**OPTIONS)
def _attention_backward(dy, q, k, v, y, log_normalizers, causal, masked, mask, dq, dk, dv):
    B, H = q.shape[:2]
    for i in prange(B * H):
        b, h = i // H, i % H
        m = mask[b, h] if masked else mask[0, 0]
        _attend_backward(dy[b, h], q[b, h], k[b, h], v[b, h], y[b, h], log_normalizers[b, h],
                         causal, masked, m, dq[b, h], dk[b, h], dv[b, h])


@njit(**INNER)
def _attend_backward(dy, q, k, v, y, log_normalizers, causal, masked, mask, dq, dk, dv):
    """Gradients of one head, tile by tile: dv = Pᵀ dy, dS = P (dy vᵀ - ⟨dy, y⟩), dq = dS k / √D,
    dk = dSᵀ q / √D, where P = exp(S - log-normalizer) is computed again."""
    T, D = q.shape
    S, W = v.shape
    queries, keys = _tile_size(T, S)
    k_tiles, kt, vt = _tiles(k, keys, False), _tiles(k, keys, True), _tiles(v, keys, True)
    q_tiles, dy_tiles = _tiles(q, queries, False), _tiles(dy, queries, False)
    dq_tiles, dk_tiles = np.zeros_like(q_tiles), np.zeros_like(k_tiles)
    dv_tiles = np.zeros((k_tiles.shape[0], keys, dy_tiles.shape[2]), q.dtype)
    scale = q.dtype.type(1 / np.sqrt(D))
    p = np.empty((queries, keys), q.dtype)
    ds = np.empty((queries, keys), q.dtype)
    for block in range(q_tiles.shape[0]):
        first = block * queries
        rows = min(queries, T - first)
        end = min(S, first + rows + S - T) if causal else S
        q_tiles[block] *= scale
        for tile in range((end + keys - 1) // keys):
            p[:] = 0
            multiply_add(q_tiles[block], kt[tile], p)
            _forbid(p, first, tile * keys, rows, T, S, causal, masked, mask)
            ds[:] = 0
            multiply_add(dy_tiles[block], vt[tile], ds)
            for i in range(queries):
                normalizer = q.dtype.type(np.inf)
                inner = q.dtype.type(0)
                if i < rows:
                    normalizer = log_normalizers[first + i]
                    for d in range(W):
                        inner += dy[first + i, d] * y[first + i, d]
                for j in range(keys):
                    p[i, j] = exp(p[i, j] - normalizer)
                    ds[i, j] = p[i, j] * (ds[i, j] - inner)
            multiply_transposed_add(p, dy_tiles[block], dv_tiles[tile])
            multiply_transposed_add(ds, q_tiles[block], dk_tiles[tile])
            multiply_add(ds, k_tiles[tile], dq_tiles[block])
        for i in range(rows):
            for d in range(D):
                dq[first + i, d] = dq_tiles[block, i, d] * scale
    for j in range(S):
        for d in range(D):
            dk[j, d] = dk_tiles[j // keys, j % keys, d]
        for d in range(W):
            dv[j, d] = dv_tiles[j // keys, j % keys, d]


@njit(**OPTIONS)
def _attention_decode(q, keys, values, start, y):
    B, H, D = q.shape
    S, W = values.shape[2:]
    scale = q.dtype.type(1 / np.sqrt(D))
    for i in prange(B * H):
        b, h = i // H, i % H
        scores = np.empty(S, q.dtype)
        top = q.dtype.type(-np.inf)
        for s in range(start[b], S):
            score = q.dtype.type(0)
            for d in range(D):
                score += q[b, h, d] * keys[b, h, s, d]
            scores[s] = score * scale
            top = max(top, scores[s])
        total = q.dtype.type(0)
        mixed = np.zeros(W, q.dtype)
        for s in range(start[b], S):
            p = exp(scores[s] - top)
            total += p
            for d in range(W):
                mixed[d] += p * values[b, h, s, d]
        for d in range(W):
            y[b, h, d] = mixed[d] / total
