"""What attention's kernels share: tiles of queries and keys, and what a query may see of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..ops.dropping import random_bits
from ..ops.scaled_dot_product import check_groups, check_order
from .compiling import OPTIONS, njit
from .dropping import next_bits
from .tiles import LANES

QUERIES, KEYS = 64, 64  # rows and columns of a tile
FAR = 1 << 62  # positions


class Rules(NamedTuple):
    """What queries may see. Arrays that are not given have stand-ins of one element."""

    causal: bool
    window: int  # beyond all positions if there is none
    masked: bool
    mask: Any  # (B, H, T, S)
    sloped: bool
    slopes: Any  # (H,)
    dropping: bool
    bits: Any  # (B, H, T), of which those of the weights are made
    least: np.uint32
    scale: Any


def rules_of(q, k, causal, mask, window, slopes, drop):
    check_order(causal, window, slopes, q.shape[1])
    check_groups(q, k)
    seen = np.broadcast_to(np.True_, (1, 1, 1, 1)) if mask is None else np.broadcast_to(
        mask, (*q.shape[:3], k.shape[2]))
    bits, least, scale = np.zeros((1, 1, 1), np.uint32), np.uint32(0), q.dtype.type(1)
    if drop is not None:
        bits = random_bits(drop, q.shape[:3])
        least, scale = drop.least, q.dtype.type(drop.scale)
    back = FAR if window is None else min(int(window), FAR)
    return Rules(bool(causal), back, mask is not None, seen,
                 slopes is not None, slopes_of(slopes, q), drop is not None, bits, least, scale)


def slopes_of(slopes, q):
    """Slopes (H,), or a stand-in."""
    return np.zeros(1, q.dtype) if slopes is None else np.ascontiguousarray(slopes)


@njit(**OPTIONS)
def tile_size(T, S):
    """(queries, keys) of a tile; short texts get smaller ones."""
    return min(QUERIES, whole_vectors(T)), min(KEYS, whole_vectors(S))


@njit(**OPTIONS)
def whole_vectors(n):
    """n rounded up to a multiple of LANES."""
    return (n + LANES - 1) // LANES * LANES


@njit(**OPTIONS)
def cut_tiles(x, size, transposed):
    """x (N, D) cut into tiles of ``size`` rows, padded with zeros: (n, size, D') or its transpose,
    (n, D', size), where D' is D rounded up to whole vectors."""
    N, D = x.shape
    count, width = (N + size - 1) // size, whole_vectors(D)
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
def seen_tiles(first, rows, keys, T, S, rules):
    """The tiles, from one to before another, of which some of these rows may see a key."""
    begin = max(0, first + S - T - rules.window + 1)
    end = min(S, first + rows + S - T) if rules.causal else S
    return begin // keys, (end + keys - 1) // keys


@njit(**OPTIONS)
def limit_scores(scores, first, first_key, rows, T, S, rules, b, h):
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
def drop_weights(x, first, first_key, rows, rules, b, h):
    """Dropout of the weights (keys, queries) of a tile, or of their gradients."""
    bits = np.zeros(x.shape[1], np.uint32)
    for i in range(rows):
        bits[i] = rules.bits[b, h, first + i]
    for j in range(x.shape[0]):
        for i in range(bits.size):
            kept = next_bits(bits[i], first_key + j) >= rules.least
            x[j, i] = x[j, i] * rules.scale if kept else x.dtype.type(0)


@njit(**OPTIONS)
def join_tiles(tiles, x):
    """x = the tiles' rows one after another, without what they were padded with."""
    for i in range(x.shape[0]):
        for d in range(x.shape[1]):
            x[i, d] = tiles[i // tiles.shape[1], i % tiles.shape[1], d]
