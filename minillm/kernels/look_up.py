"""Twin of :mod:`minillm.ops.look_up`. Looking up is already as fast as memory in NumPy."""

from __future__ import annotations

import numpy as np

from .. import threads
from .arrays import ENOUGH, rows
from .compiling import OPTIONS, njit

COLUMNS = 64  # at least, so that a part reads whole cache lines


def embedding_backward(dy, ids, dw):
    dy, ids = rows(dy), np.ascontiguousarray(ids, np.int64).reshape(-1)
    C = dw.shape[1]
    parts = threads.parts(C // COLUMNS, dy.size, ENOUGH)  # of columns: ids are repeated
    threads.run(lambda p: _add_rows(dy, ids, dw, p * C // parts, (p + 1) * C // parts), parts)


@njit(**OPTIONS)
def _add_rows(dy, ids, dw, first, end):
    for i in range(ids.size):
        source, target = dy[i, first:end], dw[ids[i], first:end]
        for j in range(source.size):
            target[j] += source[j]
