"""Positions as angles: waves that are added, and rotary ones that turn a vector."""

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


def sinusoids(where, width, theta=10_000.0):
    """p(2i) = sin(where / θ^(2i/C)), p(2i+1) = cos(where / θ^(2i/C)), i = 0 … C/2 - 1.

    where: positions (...), width: even C -> (..., C) in float64. A step of k positions turns each
    pair by the same angle wherever it begins, so p(t + k) is a linear function of p(t).
    Source: Vaswani et al. (2017), section 3.5.
    """
    if width % 2:
        raise ValueError(f"width={width}: expected an even number, a sine and a cosine for each "
                         "wave length")
    angle = np.asarray(where)[..., None] * theta ** (-np.arange(0, width, 2) / width)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(*angle.shape[:-1], width)
