"""Twin of :mod:`minillm.ops.embedding`. Looking up is already as fast as memory in NumPy."""

from __future__ import annotations

import numpy as np

from .. import threads
from .arrays import ENOUGH, rows
from .compiling import OPTIONS, njit

COLUMNS = 64  # at least, so that a part reads whole cache lines


def embedding_backward(dy, ids, dw):
    dy, ids = rows(dy), np.ascontiguousarray(ids, np.int64).reshape(-1)
    C = dw.shape[1]
    parts = max(1, min(C // COLUMNS, dy.size // ENOUGH))

    def part(p: int) -> None:  # columns: repeated ids write to the same row
        here = slice(p * C // parts, (p + 1) * C // parts)
        _add_rows(dy[:, here], ids, dw[:, here])

    threads.run(part, parts)


@njit(**OPTIONS)
def _add_rows(dy, ids, dw):
    for i in range(ids.size):
        for j in range(dy.shape[1]):
            dw[ids[i], j] += dy[i, j]
