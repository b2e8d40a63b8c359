"""Causal convolution: a linear layer over each position and some before it."""

from __future__ import annotations

import numpy as np

from ..backends import twin
from .activation import sigmoid
from .affine import linear, linear_backward


def look_back(x, K, dilation=1, out=None):
    """Beside each vector those of earlier positions: [x_{t-(K-1)d}, …, x_{t-d}, x_t], d = dilation.

    x: (B, T, C) -> (B, T, K C). Before the first position there are zeros.
    """
    B, T, C = x.shape
    y = np.empty((B, T, K * C), x.dtype) if out is None else out
    for k in range(K):
        part, back = y[..., k * C:(k + 1) * C], min((K - 1 - k) * dilation, T)
        part[:, :back] = 0
        part[:, back:] = x[:, :T - back]
    return y


def look_back_backward(dy, K, dilation=1, out=None):
    """Each vector gets the gradients of all places where it was seen.  (B, T, K C) -> (B, T, C)."""
    B, T, width = dy.shape
    C = width // K
    dx = np.empty((B, T, C), dy.dtype) if out is None else out
    dx[...] = dy[..., (K - 1) * C:]
    for k in range(K - 1):
        back = min((K - 1 - k) * dilation, T)
        dx[:, :T - back] += dy[:, back:, k * C:(k + 1) * C]
    return dx


def convolve(x, w, b=None, dilation=1, seen=None, out=None):
    """y_t = Σ_k x_{t-(K-1-k)d} W_k + b: no position sees a later one.

    x: (B, T, C), w: (K C, F), the K matrices one below the other, b: (F,) -> y: (B, T, F).
    seen: memory for look_back(x), (B, T, K C), which backward needs.
    Sources: LeCun et al. (1989); causal and dilated: van den Oord et al. (2016), WaveNet,
    section 2.1.
    """
    return linear(look_back(x, w.shape[0] // x.shape[-1], dilation, seen), w, b, out)


def convolve_backward(dy, seen, K, w, dw, db=None, dilation=1, dseen=None, out=None):
    """Gradients of y = look_back(x) W + b.  dy: (B, T, F), seen: (B, T, K C) -> dx: (B, T, C).

    Adds into dw: (K C, F) and db: (F,). dseen: memory for the gradient of ``seen``.
    """
    dseen = linear_backward(dy, seen, w, dw, db, dseen)
    return look_back_backward(dseen, K, dilation, out)


@twin
def gated(x, out=None):
    """y = tanh(x₁) σ(x₂), where x₁ and x₂ are the halves of the last axis.

    x: (..., 2F) -> y: (..., F). Source: van den Oord et al. (2016), WaveNet, equation 2.
    """
    F = x.shape[-1] // 2
    return np.multiply(np.tanh(x[..., :F]), sigmoid(x[..., F:]), out=out)


@twin
def gated_backward(dy, x, out=None):
    """dx₁ = dy (1 - t²) s and dx₂ = dy t s (1 - s),  t = tanh x₁,  s = σ(x₂).

    dy: (..., F), x: (..., 2F) -> dx: (..., 2F). ``out`` may be ``x`` itself.
    """
    F = dy.shape[-1]
    t, s = np.tanh(x[..., :F]), sigmoid(x[..., F:])
    dx = np.empty_like(x) if out is None else out
    dx[..., :F] = dy * (1 - t * t) * s
    dx[..., F:] = dy * t * s * (1 - s)
    return dx
