"""Layer normalization, and the simpler one by the root mean square."""

from __future__ import annotations

import numpy as np

from ..backends import twin


@twin
def layer_norm(x, w, b, eps=1e-5, out=None):
    """y = w x̂ + b,  x̂ = (x - mean) / √(var + eps), over the last axis.

    x: (..., C), w and b: (C,) -> y: (..., C) and stats: (..., 2), the mean and 1/√(var + eps) of
    each row, which backward needs. Source: Ba, Kiros & Hinton (2016), section 3.
    """
    mean = x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    y = np.add(w * ((x - mean) * rstd), b, out=out)
    return y, np.concatenate([mean, rstd], axis=-1)


@twin
def layer_norm_backward(dy, x, w, stats, dw, db, out=None):
    """dx = rstd (g - ⟨g⟩ - x̂ ⟨g x̂⟩),  g = w dy, where ⟨·⟩ is the mean over the last axis.

    dy, x: (..., C), w: (C,), stats: (..., 2) -> dx: (..., C). Adds Σ dy x̂ into dw, Σ dy into db.
    ``out`` may be ``dy`` itself.
    """
    mean, rstd = stats[..., :1], stats[..., 1:]
    xhat = (x - mean) * rstd
    sum_over = tuple(range(x.ndim - 1))
    dw += (dy * xhat).sum(axis=sum_over)
    db += dy.sum(axis=sum_over)
    g = w * dy
    dx = g - g.mean(axis=-1, keepdims=True) - xhat * (g * xhat).mean(axis=-1, keepdims=True)
    return np.multiply(dx, rstd, out=out)


@twin
def rms_norm(x, w, eps=1e-5, out=None):
    """y = w x r,  r = 1 / √(⟨x²⟩ + eps), where ⟨·⟩ is the mean over the last axis.

    x: (..., C), w: (C,) -> y: (..., C) and r: (..., 1), which backward needs.
    Source: Zhang & Sennrich (2019), section 4.
    """
    r = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    return np.multiply(w, x * r, out=out), r


@twin
def rms_norm_backward(dy, x, w, r, dw, out=None):
    """dx = r (g - x̂ ⟨g x̂⟩),  g = w dy,  x̂ = x r.  Adds Σ dy x̂ into dw.

    dy, x: (..., C), w: (C,), r: (..., 1) -> dx: (..., C). ``out`` may be ``dy`` itself.
    """
    xhat = x * r
    dw += (dy * xhat).sum(axis=tuple(range(x.ndim - 1)))
    g = w * dy
    return np.multiply(g - xhat * (g * xhat).mean(axis=-1, keepdims=True), r, out=out)
