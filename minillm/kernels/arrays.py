"""What the twins' Python sides share: shapes, overlap, and cutting rows into parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import threads

PARTS = 16  # at most, and of sums exactly: fixed, so that they do not depend on the threads
ENOUGH = 1 << 15  # numbers that are worth a part of their own


def rows(x):
    """x (..., n) as an (N, n) C-contiguous array: a view where possible, else a copy."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def by_rows(kernel, cut: tuple, *whole: Any, numbers: int | None = None) -> None:
    """kernel(*cut, *whole), where the arrays in ``cut`` may be cut between their rows.

    ``numbers``: how much work it is, as a count of numbers to read; the size of the first array
    if not given. Little work is done at once by the thread that asks.
    """
    N = len(cut[0])
    numbers = cut[0].size if numbers is None else numbers
    parts = threads.parts(min(PARTS, N), numbers, ENOUGH)
    if parts == 1:
        kernel(*cut, *whole)
        return

    def part(p: int) -> None:
        here = slice(p * N // parts, (p + 1) * N // parts)
        kernel(*[x[here] for x in cut], *whole)

    threads.run(part, parts)


def start_from(x, out):
    """Copy x into ``out`` (a new array if None) for a kernel that updates it in place."""
    if out is None:
        return np.array(x, order="C")
    if out is not x:
        np.copyto(out, x)
    return out


def update_rows(kernel, x, out, *others):
    """out = x, updated by ``kernel(rows of out, rows of others)``; ``out`` may have strides."""
    out = start_from(x, out)
    flat = rows(out)
    by_rows(kernel, (flat, *map(rows, others)))
    if not np.may_share_memory(flat, out):
        out[...] = flat.reshape(out.shape)
    return out


def apart(x, out):
    """x, or a copy of it where it shares memory with ``out``."""
    return x.copy() if out is not None and np.may_share_memory(x, out) else x


def deliver(result, out):
    """The result, copied into ``out`` where that is another array."""
    if out is not None and out is not result:
        out[...] = result
        return out
    return result
