"""Products of matrices: some rows or columns in each thread of the pool; BLAS does most of them."""

from __future__ import annotations

import numpy as np

from .. import blas, threads
from ..backends import twin

PARTS = 8  # at most
ENOUGH = 1 << 22  # multiplications that are worth a part of their own
FEW = 16  # rows, for which BLAS would rearrange a large matrix longer than it multiplies
LARGE = 1 << 16  # numbers of such a matrix
TURNED = 32  # rows, up to which a product with a tied table is faster as (Wᵀ xᵀ)ᵀ


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
    M, F = y.shape
    if M >= F or M * w.size < 2 * ENOUGH:  # a part reads all of the smaller factor; or there is one
        spread(lambda here: product(rows[here], w, y[here]), M, w.size)
        return out
    turned = M <= TURNED and w.T.flags.c_contiguous

    def fill_columns(here: slice) -> None:
        if turned:
            y[:, here] = (w.T[here] @ rows.T).T
        else:
            product(rows, w[:, here], y[:, here])

    spread(fill_columns, F, rows.size)
    return out


def product(x, w, out):
    """out = x W in this thread.  x: (M, C), w: (C, F), out: (M, F)."""
    few = 1 < len(x) <= FEW and w.size >= LARGE and x.dtype == w.dtype == out.dtype == np.float32
    return (few_rows if few else np.matmul)(x, w, out=out)


@twin
def few_rows(x, w, out):
    """x W for few rows and a large matrix, in this thread.  x: (M, C), w: (C, F) -> out: (M, F)."""
    return np.matmul(x, w, out=out)


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
