"""Dropout: which numbers are dropped follows from their place and a seed alone.

Nothing is stored. Backward, another thread or a part of the batch finds the same numbers again by
asking for the same places. Source: Srivastava et al. (2014), section 4; random numbers as a
function of a counter: Salmon et al. (2011), section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..backends import twin

STEP = np.uint32(0x9E3779B9)  # 2³² / golden ratio


class Drop(NamedTuple):
    """What one layer drops in one forward."""

    rate: float  # the share, from 0 to below 1
    seed: int  # of 32 bits
    row: int = 0  # the number of the first row, of x or of queries, in the whole batch

    @property
    def least(self) -> np.uint32:
        """The smallest random number, of 32 bits, that is kept."""
        if not 0 <= self.rate < 1:
            raise ValueError(f"drop.rate={self.rate!r}: expected a share of at least 0 and below 1")
        return np.uint32(min(round(self.rate * 2**32), 2**32 - 1))

    @property
    def scale(self) -> float:
        """By which what is kept grows, so that the mean stays."""
        return 1 / (1 - self.rate)


def mix(x):
    """Whole numbers of 32 bits, all of whose bits each bit of the result depends on.

    Source: Appleby (2011), MurmurHash3, its last step.
    """
    x = (x ^ x >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    x = (x ^ x >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return x ^ x >> np.uint32(16)


def random_bits(drop, shape):
    """A random number of 32 bits for each place of an array: axis after axis, mix(r + STEP i)."""
    bits = np.array([drop.seed], np.uint32)
    for axis, n in enumerate(shape):
        places = np.arange(n) + (drop.row if axis == 0 else 0)
        bits = mix(bits[..., None] + STEP * places.astype(np.uint32))
    return bits.reshape(shape)


@twin
def dropout(x, drop, out=None):
    """y = x / (1 - rate) with probability 1 - rate, else 0.  x: (B, ...) -> y: the same shape.

    drop: a Drop. The gradient is the same function of dy.
    """
    dropped = random_bits(drop, x.shape) < drop.least
    y = np.multiply(x, x.dtype.type(drop.scale), out=out)
    np.copyto(y, 0, where=dropped)
    return y
