"""Block-wise attention: tiles of 64 queries by 64 keys, never a whole T x S matrix.

Softmax is taken online: each new tile of scores may raise a row's maximum, and then what was
summed so far is scaled down. Only the logarithm of each row's normalizer is kept; backward
computes the probabilities of a tile again from it. Memory grows with T, not with T².
Sources: Milakov & Gimelshein (2018), algorithm 3; Dao et al. (2022), algorithms 1 and 4.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import threads
from ..ops.scaled_dot_product import check_order
from .arrays import PARTS, apart
from .compiling import OPTIONS, njit
from .exponential import exp
from .tiles import LANES, multiply_add

QUERIES, KEYS = 64, 64  # rows and columns of a tile
FAR = 1 << 62  # positions
PRODUCTS = 1 << 21  # multiplications that are worth a part of their own


class Rules(NamedTuple):
    """What queries may see. Arrays that are not given have stand-ins of one element."""

    causal: bool
    window: int  # beyond all positions if there is none
    masked: bool
    mask: Any  # (B, H, T, S)
    sloped: bool
    slopes: Any  # (H,)


def attention(q, k, v, causal=False, mask=None, window=None, slopes=None, out=None):
    B, H, T, _ = q.shape
    q, k, v = apart(q, out), apart(k, out), apart(v, out)
    y = np.empty((B, H, T, v.shape[3]), q.dtype) if out is None else out
    log_normalizers = np.empty((B, H, T), q.dtype)
    rules = _rules(q, k, causal, mask, window, slopes)
    _by_heads(_attention, q, v, q, k, v, rules, y, log_normalizers)
    return y, log_normalizers


def attention_backward(dy, q, k, v, y, saved, causal=False, mask=None, window=None, slopes=None,
                       out=None):
    if saved.ndim != 3:
        raise ValueError("saved comes from the numpy definition; run attention and "
                         "attention_backward under one backend")
    dq, dk, dv = out if out is not None else (np.empty(x.shape, x.dtype) for x in (q, k, v))
    _by_heads(_attention_backward, q, v, dy, q, k, v, y, saved,
              _rules(q, k, causal, mask, window, slopes), dq, dk, dv)
    return dq, dk, dv


def attention_decode(q, keys, values, start, slopes=None, out=None):
    check_order(True, None, slopes, q.shape[1])
    y = np.empty((*q.shape[:2], values.shape[3]), q.dtype) if out is None else out
    _by_heads(_attention_decode, q[:, :, None], values, q, keys, values,
              np.ascontiguousarray(start, np.int64), slopes is not None, _slopes(slopes, q), y)
    return y


def _by_heads(kernel, q, v, *arguments):
    """kernel(first, end, *arguments) for all heads of all rows, B H in number, cut into parts."""
    B, H, T, D = q.shape
    S, W = v.shape[2:]
    parts = threads.parts(min(PARTS, B * H), B * H * T * S * (D + W), PRODUCTS)
    if parts == 1:
        kernel(0, B * H, *arguments)
    else:
        threads.run(lambda p: kernel(p * B * H // parts, (p + 1) * B * H // parts, *arguments),
                    parts)


def _rules(q, k, causal, mask, window, slopes):
    check_order(causal, window, slopes, q.shape[1])
    seen = np.broadcast_to(np.True_, (1, 1, 1, 1)) if mask is None else np.broadcast_to(
        mask, (*q.shape[:3], k.shape[2]))
    return Rules(bool(causal), FAR if window is None else int(window), mask is not None, seen,
                 slopes is not None, _slopes(slopes, q))


def _slopes(slopes, q):
    """Slopes (H,), or a stand-in."""
    return np.zeros(1, q.dtype) if slopes is None else np.ascontiguousarray(slopes)


@njit(**OPTIONS)
def _attention(first, end, q, k, v, rules, y, log_normalizers):
    H = q.shape[1]
    for i in range(first, end):
        b, h = i // H, i % H
        _attend(q[b, h], k[b, h], v[b, h], rules, b, h, y[b, h], log_normalizers[b, h])


@njit(**OPTIONS)
def _attend(q, k, v, rules, b, h, y, log_normalizers):
    """Attention of one head: q (T, D), k (S, D), v (S, W) -> y (T, W), log-normalizers (T,)."""
    T, D = q.shape
    S, W = v.shape
    queries, keys = _tile_size(T, S)
    k_tiles, v_tiles = _tiles(k, keys, False), _tiles(v, keys, False)
    qt_tiles = _tiles(q, queries, True)
    qt_tiles *= q.dtype.type(1 / np.sqrt(D))
    scores = np.empty((keys, queries), q.dtype)
    for block in range(qt_tiles.shape[0]):
        first = block * queries
        rows = min(queries, T - first)
        top = np.full(queries, -np.inf, q.dtype)
        total = np.zeros(queries, q.dtype)
        mixed = np.zeros((queries, v_tiles.shape[2]), q.dtype)
        for tile in range(*_seen(first, rows, keys, T, S, rules)):
            scores[:] = 0
            multiply_add(k_tiles[tile], qt_tiles[block], scores)
            _limit(scores, first, tile * keys, rows, T, S, rules, b, h)
            shrink = _exponentials(scores, top, total)
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
def _tile_size(T, S):
    """(queries, keys) of a tile; short texts get smaller ones."""
    return min(QUERIES, _whole_vectors(T)), min(KEYS, _whole_vectors(S))


@njit(**OPTIONS)
def _whole_vectors(n):
    """n rounded up to a multiple of LANES."""
    return (n + LANES - 1) // LANES * LANES


@njit(**OPTIONS)
def _tiles(x, size, transposed):
    """x (N, D) cut into tiles of ``size`` rows, padded with zeros: (n, size, D') or its transpose,
    (n, D', size), where D' is D rounded up to whole vectors."""
    N, D = x.shape
    count, width = (N + size - 1) // size, _whole_vectors(D)
    tiles = np.zeros((count, width, size) if transposed else (count, size, width), x.dtype)
    for t in range(count):
        part = x[t * size:(t + 1) * size]
        if transposed:
            for d in range(D):
                for i in range(part.shape[0]):
                    tiles[t, d, i] = part[i, d]
        else:
            for i in range(part.shape[0]):
                for d in range(D):
                    tiles[t, i, d] = part[i, d]
    return tiles


@njit(**OPTIONS)
def _seen(first, rows, keys, T, S, rules):
    """The tiles, from one to before another, of which some of these rows may see a key."""
    begin = max(0, first + S - T - rules.window + 1)
    end = min(S, first + rows + S - T) if rules.causal else S
    return begin // keys, (end + keys - 1) // keys


@njit(**OPTIONS)
def _limit(scores, first, first_key, rows, T, S, rules, b, h):
    """Take from the scores (keys, queries) what distance costs; set those that a query may not
    see, or that do not exist, to -inf."""
    keys, queries = scores.shape
    place = first + S - T  # of the first query among the keys
    if rules.sloped:
        for j in range(keys):
            for i in range(queries):
                scores[j, i] -= rules.slopes[h] * (place + i - first_key - j)
    if first_key + keys > S or (rules.causal and first_key + keys > place + 1) \
            or first_key <= place + queries - 1 - rules.window:
        for j in range(keys):
            for i in range(queries):
                end = min(S, place + i + 1) if rules.causal else S
                if first_key + j >= end or first_key + j <= place + i - rules.window:
                    scores[j, i] = -np.inf
    if rules.masked:
        for i in range(rows):
            for j in range(min(keys, S - first_key)):
                if not rules.mask[b, h, first + i, first_key + j]:
                    scores[j, i] = -np.inf


@njit(**OPTIONS)
def _attention_backward(first, end, dy, q, k, v, y, log_normalizers, rules, dq, dk, dv):
    H = q.shape[1]
    for i in range(first, end):
        b, h = i // H, i % H
        _attend_backward(dy[b, h], q[b, h], k[b, h], v[b, h], y[b, h], log_normalizers[b, h],
                         rules, b, h, dq[b, h], dk[b, h], dv[b, h])


@njit(**OPTIONS)
def _attend_backward(dy, q, k, v, y, log_normalizers, rules, b, h, dq, dk, dv):
    """Gradients of one head, tile by tile: dv = Pᵀ dy, dS = P (dy vᵀ - ⟨dy, y⟩), dq = dS k / √D,
    dk = dSᵀ q / √D, where P = exp(S - log-normalizer) is computed again."""
    T, D = q.shape
    S, W = v.shape
    queries, keys = _tile_size(T, S)
    k_tiles, v_tiles = _tiles(k, keys, False), _tiles(v, keys, False)
    q_tiles, dy_tiles = _tiles(q, queries, False), _tiles(dy, queries, False)
    qt_tiles, dyt_tiles = _tiles(q, queries, True), _tiles(dy, queries, True)
    dq_tiles = np.zeros_like(q_tiles)
    dk_tiles, dv_tiles = np.zeros_like(k_tiles), np.zeros_like(v_tiles)
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
        for tile in range(*_seen(first, rows, keys, T, S, rules)):
            p[:] = 0
            multiply_add(k_tiles[tile], qt_tiles[block], p)
            _limit(p, first, tile * keys, rows, T, S, rules, b, h)
            ds[:] = 0
            multiply_add(v_tiles[tile], dyt_tiles[block], ds)
            _softmax_backward(p, ds, normalizer, inner)
            multiply_add(p, dy_tiles[block], dv_tiles[tile])
            multiply_add(ds, q_tiles[block], dk_tiles[tile])
            multiply_add(ds.T, k_tiles[tile], dq_tiles[block])
    _join(dq_tiles, dq)
    dq *= scale
    _join(dk_tiles, dk)
    _join(dv_tiles, dv)


@njit(**OPTIONS)
def _join(tiles, x):
    """x = the tiles' rows one after another, without what they were padded with."""
    for i in range(x.shape[0]):
        for d in range(x.shape[1]):
            x[i, d] = tiles[i // tiles.shape[1], i % tiles.shape[1], d]


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
    scale = q.dtype.type(1 / np.sqrt(D))
    for i in range(first, end):
        b, h = i // H, i % H
        scores = np.empty(S, q.dtype)
        top = q.dtype.type(-np.inf)
        for s in range(start[b], S):
            score = q.dtype.type(0)
            for d in range(D):
                score += q[b, h, d] * keys[b, h, s, d]
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
                mixed[d] += p * values[b, h, s, d]
        for d in range(W):
            y[b, h, d] = mixed[d] / total if total != 0 else q.dtype.type(0)
