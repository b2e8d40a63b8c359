"""Rotary positions: a vector is turned by an angle that tells where its token stands."""

from __future__ import annotations

import numpy as np


def rotate(x, where, theta=10_000.0):
    """Turn each pair (x_d, x_(d+D/2)) by the angle where · θ^(-2d/D), d = 0 … D/2 - 1.

    x: (B, H, T, D) with even D, where: positions (T,) or (B, T) -> y: the same shape, a new array.
    The product of a turned query and a turned key depends on the distance of their positions only.
    Turning by -where is the inverse, and so the gradient.
    Source: Su et al. (2021), section 3.2.2; the pairs are those of Llama.
    """
    if x.shape[-1] % 2:
        raise ValueError(f"x has vectors of {x.shape[-1]} numbers; expected an even number, "
                         "because they are turned in pairs")
    half = x.shape[-1] // 2
    angle = np.asarray(where)[..., None] * theta ** (-np.arange(half) / half)
    if angle.ndim == 3:
        angle = angle[:, None]  # the same for all heads
    cos, sin = np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
