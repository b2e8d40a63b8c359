"""Vectors drawn in the plane: principal components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..checks import check, is_whole


class PrincipalComponents(NamedTuple):
    """points: (N, count), the vectors in the new axes; directions: (count, C), the axes; share:
    (count,), the part of the variance along each; mean: (C,)."""

    points: np.ndarray
    directions: np.ndarray
    share: np.ndarray
    mean: np.ndarray

    def project(self, x):
        """Other vectors in the same axes.  x: (..., C) -> (..., count)."""
        return (np.asarray(x) - self.mean) @ self.directions.T


def principal_components(x, count: int = 2) -> PrincipalComponents:
    """The directions along which rows of x vary most, by singular values.  x: (N, C).

    x - mean = U S Vᵀ: the directions are rows of Vᵀ, the points U S. A direction may as well point
    the other way; here its largest number is positive, so that one x always gives one picture.
    Sources: Pearson (1901); Hotelling (1933).
    """
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"x has shape {x.shape}; expected (N, C) with at least two rows")
    most = min(x.shape)
    check("count", count, is_whole(count) and 1 <= count <= most,
          f"a whole number from 1 to {most}, the smaller side of x")
    if not np.isfinite(x).all():
        raise ValueError("x holds NaN or infinity, which have no place in a picture")
    mean = x.mean(axis=0)
    u, s, v = np.linalg.svd(x - mean, full_matrices=False)
    largest = np.abs(v).argmax(axis=1)
    sign = np.where(v[np.arange(most), largest] < 0, -1, 1).astype(x.dtype)
    total = (s * s).sum()
    share = s * s / total if total > 0 else np.zeros_like(s)
    return PrincipalComponents((u * (s * sign))[:, :count], (v * sign[:, None])[:count],
                               share[:count], mean)
