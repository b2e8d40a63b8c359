"""Small matrix products for kernels that keep their tiles in the first-level cache.

Four rows times four terms at a time: each value loaded serves four multiply-adds. Sizes n and k
must be multiples of 4 (tiles are padded with zeros).
"""

from __future__ import annotations

from numba import njit

from .arrays import FAST


@njit(fastmath=FAST, error_model="numpy", cache=True)
def multiply_add(a, b, c):
    """c += a b.  a: (n, k), b: (k, m), c: (n, m)."""
    for i in range(0, a.shape[0], 4):
        for k in range(0, a.shape[1], 4):
            a00, a01, a02, a03 = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
            a10, a11, a12, a13 = a[i + 1, k], a[i + 1, k + 1], a[i + 1, k + 2], a[i + 1, k + 3]
            a20, a21, a22, a23 = a[i + 2, k], a[i + 2, k + 1], a[i + 2, k + 2], a[i + 2, k + 3]
            a30, a31, a32, a33 = a[i + 3, k], a[i + 3, k + 1], a[i + 3, k + 2], a[i + 3, k + 3]
            for j in range(b.shape[1]):
                b0, b1, b2, b3 = b[k, j], b[k + 1, j], b[k + 2, j], b[k + 3, j]
                c[i, j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                c[i + 1, j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                c[i + 2, j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                c[i + 3, j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3


@njit(fastmath=FAST, error_model="numpy", cache=True)
def multiply_transposed_add(a, b, c):
    """c += aᵀ b.  a: (k, n), b: (k, m), c: (n, m)."""
    for i in range(0, a.shape[1], 4):
        for k in range(0, a.shape[0], 4):
            a00, a01, a02, a03 = a[k, i], a[k + 1, i], a[k + 2, i], a[k + 3, i]
            a10, a11, a12, a13 = a[k, i + 1], a[k + 1, i + 1], a[k + 2, i + 1], a[k + 3, i + 1]
            a20, a21, a22, a23 = a[k, i + 2], a[k + 1, i + 2], a[k + 2, i + 2], a[k + 3, i + 2]
            a30, a31, a32, a33 = a[k, i + 3], a[k + 1, i + 3], a[k + 2, i + 3], a[k + 3, i + 3]
            for j in range(b.shape[1]):
                b0, b1, b2, b3 = b[k, j], b[k + 1, j], b[k + 2, j], b[k + 3, j]
                c[i, j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                c[i + 1, j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                c[i + 2, j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                c[i + 3, j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
