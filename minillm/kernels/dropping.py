"""Dropout whose random numbers are made where they are used."""

from __future__ import annotations

import numpy as np

from ..ops.dropping import STEP, random_bits
from .arrays import update_rows
from .compiling import OPTIONS, njit


def dropout(x, drop, out=None):
    bits = random_bits(drop, x.shape[:-1])[..., None]
    least, scale = drop.least, x.dtype.type(drop.scale)
    first = drop.row if x.ndim == 1 else 0
    return update_rows(lambda y, r: _dropout(y, r, first, least, scale), x, out, bits)


@njit(**OPTIONS)
def mix(x):
    x = np.uint32(np.uint32(x ^ x >> np.uint32(16)) * np.uint32(0x85EBCA6B))
    x = np.uint32(np.uint32(x ^ x >> np.uint32(13)) * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ x >> np.uint32(16))


@njit(**OPTIONS)
def next_bits(bits, place):
    """The random number of a place along one more axis."""
    return mix(np.uint32(bits + np.uint32(STEP * np.uint32(place))))


@njit(**OPTIONS)
def _dropout(x, bits, first, least, scale):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            kept = next_bits(bits[i, 0], first + j) >= least
            x[i, j] = x[i, j] * scale if kept else x.dtype.type(0)
