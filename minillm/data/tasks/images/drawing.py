"""Drawings of shapes: the label is the shape; its size and place vary, and there is noise."""

from __future__ import annotations

import numpy as np

SHAPES = ("circle", "square", "triangle", "cross", "ring", "diamond")
SIZES = (3.0, 3.5, 4.0, 4.5, 5.0)  # radius in sixteenths of the image
HELD = 5  # one of so many (place, size) combinations is held out


def is_held(row: np.ndarray, column: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether a shape of SIZES[size] at a place belongs to the held-out set (integer arrays)."""
    return (row + 2 * column + 3 * size) % HELD == 0


def shapes(
    n: int, seed: int = 0, held: bool = False, size: int = 16, noise: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """``n`` images (n, size, size) float32 and labels (n,) int64: shapes white on black.

    The labels go round SHAPES, then are shuffled, so classes differ by at most one. A shape lies
    wholly inside the image. The training set and the held-out one have different combinations of
    place and size, whatever the seeds. ``noise`` is the standard deviation of normal noise.
    Raises ValueError if ``n`` is negative, ``size`` below 12 or ``noise`` negative.
    """
    if n < 0:
        raise ValueError(f"n is {n}: give a number of images, 0 or more")
    if size < 12:
        raise ValueError(f"size is {size}: shapes cannot be told apart below 12 pixels; try 16")
    if not noise >= 0:
        raise ValueError(f"noise is {noise}: give a standard deviation, 0 or more")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % len(SHAPES))
    allowed = _combinations(size, held)
    chosen = allowed[rng.integers(len(allowed), size=n)]
    radius = np.asarray(SIZES)[chosen[:, 2]] * size / 16
    grid = np.arange(size)
    y = grid[None, :, None] - chosen[:, 0, None, None]
    x = grid[None, None, :] - chosen[:, 1, None, None]
    images = np.empty((n, size, size), np.float32)
    for label in range(len(SHAPES)):
        rows = labels == label
        depth = _depth(SHAPES[label], x[rows], y[rows], radius[rows, None, None])
        images[rows] = np.clip(depth + 0.5, 0, 1)  # the edge is one pixel wide
    images += (noise * rng.standard_normal(images.shape)).astype(np.float32)
    return images, labels


def _combinations(size: int, held: bool) -> np.ndarray:
    """The (row, column, size index) of one set for which the shape lies inside the image."""
    row, column, k = (a.ravel() for a in np.meshgrid(
        np.arange(size), np.arange(size), np.arange(len(SIZES)), indexing="ij"))
    reach = np.asarray(SIZES)[k] * size / 16
    inside = np.minimum(row, column) >= reach
    inside &= np.maximum(row, column) + reach <= size - 1
    keep = inside & (is_held(row, column, k) == held)
    return np.stack([row, column, k], axis=1)[keep]


def _depth(shape: str, x: np.ndarray, y: np.ndarray, r: np.ndarray) -> np.ndarray:
    """How far inside the shape a pixel lies, in pixels (negative outside), about its centre."""
    if shape == "circle":
        return r - np.hypot(x, y)
    if shape == "square":
        return 0.85 * r - np.maximum(np.abs(x), np.abs(y))
    if shape == "triangle":  # point up; two slanted sides and the base
        side = (y + r - 2 * np.abs(x)) / np.sqrt(5)
        return np.minimum(side, 0.8 * r - y)
    if shape == "cross":
        a, b = np.abs(x), np.abs(y)
        return np.maximum(np.minimum(r - a, r / 4 - b), np.minimum(r / 4 - a, r - b))
    if shape == "ring":
        return r / 5 - np.abs(0.8 * r - np.hypot(x, y))
    return (r - np.abs(x) - np.abs(y)) / np.sqrt(2)  # diamond
