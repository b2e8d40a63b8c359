"""Table look-up: an id becomes a row of the table."""

from __future__ import annotations

import numpy as np

from ..backends import twin


def embedding(ids, w, out=None):
    """y = w[ids].  ids: (...) int in [0, V), w: (V, C) -> y: (..., C).

    Raises ValueError for an id outside the table.
    """
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids has dtype {ids.dtype}; expected integers, as a tokenizer returns")
    if ids.size and not (ids.min() >= 0 and ids.max() < len(w)):
        bad = ids[(ids < 0) | (ids >= len(w))][0]
        raise ValueError(f"ids holds {bad}, outside [0, {len(w)}): these ids come from another "
                         "vocabulary than the model's")
    return np.take(w, ids, axis=0, out=out, mode="clip")  # in range; "clip" skips a copy of out


@twin
def embedding_backward(dy, ids, dw):
    """dw[id] += dy for every position; an id that occurs twice gets both.

    dy: (..., C), ids: (...) -> None; adds into dw: (V, C). ``dw[ids] += dy`` would be wrong: it
    keeps only one of the contributions to a repeated id.
    """
    np.add.at(dw, ids, dy)
