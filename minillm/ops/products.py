"""Products of matrices: BLAS does them, a part of the rows in each thread of the pool."""

from __future__ import annotations

import numpy as np

from .. import blas, threads

PARTS = 8  # at most
ENOUGH = 1 << 22  # multiplications that are worth a part of their own


def multiply(x, w, out=None):
    """x W as one product of two matrices; NumPy would do one for each matrix in a stack of them.

    x: (..., C), w: (C, F) -> (..., F).
    """
    if out is None:
        out = np.empty((*x.shape[:-1], w.shape[1]), np.result_type(x, w))
    if not out.flags.c_contiguous:
        return np.matmul(x, w, out=out)
    if np.may_share_memory(out, x) or np.may_share_memory(out, w):
        out[...] = multiply(x, w)
        return out
    rows, y = x.reshape(-1, x.shape[-1]), out.reshape(-1, w.shape[1])
    spread(lambda here: np.matmul(rows[here], w, out=y[here]), len(rows), w.size)
    return out


def add_transposed_product(x, dy, dw):
    """dw += xᵀ dy, summed over all rows.  x: (..., C), dy: (..., F), dw: (C, F)."""
    x, dy = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    if not dw.flags.c_contiguous:  # the transpose of a tied table: add in the order of its memory
        x, dy, dw = dy, x, dw.T
    C, F = dw.shape

    def add_rows(here: slice) -> None:
        dw[here] += x[:, here].T @ dy

    def add_columns(here: slice) -> None:
        dw[:, here] += x.T @ dy[:, here]

    if C >= F:  # a part reads all of the narrower factor
        spread(add_rows, C, len(x) * F)
    else:
        spread(add_columns, F, len(x) * C)


def spread(part, N: int, each: int) -> None:
    """part(slice) for slices that cover range(N), each of whose numbers is ``each`` products."""
    parts = threads.parts(min(PARTS, N), N * each, ENOUGH) if blas.libraries() else 1
    with blas.one_thread():
        threads.run(lambda p: part(slice(p * N // parts, (p + 1) * N // parts)), parts)
