"""Which vectors point the same way."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..checks import check, is_whole


def unit(x):
    """x / |x|: rows of length 1; a row of zeros stays.  x: (..., C) -> the same shape."""
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    largest = np.abs(x).max(axis=-1, keepdims=True, initial=0)
    x = x / np.where(largest > 0, largest, 1)  # so that squares do not overflow
    length = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    return x / np.where(length > 0, length, 1)


def cosine(a, b):
    """Cosine of the angle between each row of a and each of b.  (N, C), (M, C) -> (N, M).

    One vector may stand for a matrix of one row; its axis is missing in the result. It is 0 where
    one of them is zero.
    """
    a, b = np.asarray(a), np.asarray(b)
    if not (0 < a.ndim <= 2 and 0 < b.ndim <= 2 and a.shape[-1] == b.shape[-1]):
        raise ValueError(f"a has shape {a.shape} and b {b.shape}; expected rows of one width")
    return unit(a) @ unit(b).T


def nearest(vectors, query, count: int = 10, without: Iterable[int] = ()):
    """The rows that have the greatest cosine with ``query``: their numbers and cosines.

    vectors: (N, C), query: (C,) -> (count,) int and (count,), the nearest first; of equal ones
    that with the lower number. without: numbers of rows that are left out.
    """
    check("count", count, is_whole(count) and count >= 1, "a whole number of at least 1")
    cosines = cosine(vectors, query)
    if cosines.ndim != 1:
        raise ValueError(f"query has shape {np.shape(query)} and vectors {np.shape(vectors)}; "
                         "expected one vector, and a matrix of several")
    order = np.argsort(-cosines, kind="stable")
    order = order[~np.isin(order, list(without))][:count]
    return order, cosines[order]


def analogy(vectors, a: int, b: int, c: int, count: int = 1):
    """a is to b as c is to …: the rows nearest to b - a + c, all of length 1, and their scores.

    a, b, c: numbers of rows, which are left out. Source: Mikolov et al. (2013), Linguistic
    regularities in continuous space word representations, section 4 (3CosAdd).
    """
    u = unit(vectors)
    for name, row in (("a", a), ("b", b), ("c", c)):
        check(name, row, is_whole(row) and 0 <= row < len(u), f"a row in [0, {len(u)})")
    return nearest(u, u[b] - u[a] + u[c], count, (a, b, c))
