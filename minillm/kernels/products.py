"""Twin of :mod:`minillm.ops.products`: few rows times a large matrix, which is read where it lies.

BLAS first copies the matrix into the order in which it is read; many rows repay that, few do not.
"""

from __future__ import annotations

import numpy as np

from .compiling import OPTIONS, njit
from .tiles import LANES, ROWS, multiply_add


def few_rows(x, w, out):
    if w.shape[1] % LANES or w.strides[1] != w.itemsize:
        return np.matmul(x, w, out=out)
    _few_rows(x, w, out)
    return out


@njit(**OPTIONS)
def _few_rows(x, w, y):
    M, C = x.shape
    padded = np.zeros(((M + ROWS - 1) // ROWS * ROWS, C), x.dtype)
    padded[:M] = x
    sums = np.zeros((padded.shape[0], w.shape[1]), x.dtype)
    multiply_add(padded, w, sums)
    y[:] = sums[:M]
