"""What an optimizer does to the one vector that holds all weights."""

from __future__ import annotations

import numpy as np

from ..backends import twin


@twin
def sum_of_squares(x):
    """Σ x², accumulated in float64.  x: (N,) -> float."""
    return float(np.square(x, dtype=np.float64).sum())


@twin
def adamw(w, grad, m, v, decay, lr, beta1, beta2, eps, step):
    """One step of Adam with decoupled weight decay, in place on w, m and v.

        m = β₁ m + (1 - β₁) grad         v = β₂ v + (1 - β₂) grad²
        w = w - lr · decay · w - lr · m̂ / (√v̂ + eps)

    with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ). w, grad, m, v: (N,); ``step`` counts from 1.
    Sources: Kingma & Ba (2015), algorithm 1; Loshchilov & Hutter (2019), algorithm 2.
    """
    m *= beta1
    m += (1 - beta1) * grad
    v *= beta2
    v += (1 - beta2) * (grad * grad)
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    w -= lr * decay * w
    w -= lr * m_hat / (np.sqrt(v_hat) + eps)
