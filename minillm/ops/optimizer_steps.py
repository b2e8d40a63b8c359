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


def sgd(w, grad, m, decay, lr, momentum, nesterov):
    """One step of gradient descent with momentum, in place on w and m.

        g = grad + decay · w        m = momentum · m + g
        w = w - lr · m              with nesterov w - lr (g + momentum · m)

    w, grad, m: (N,). Source: Sutskever et al. (2013), equations 3 and 4, with lr outside of m.
    """
    g = grad + decay * w if decay else grad
    m *= momentum
    m += g
    w -= lr * (g + momentum * m if nesterov else m)


def rmsprop(w, grad, v, decay, lr, alpha, eps):
    """One step of RMSProp, in place on w and v: w = w - lr · g / (√v + eps).

    v = α v + (1 - α) g², g = grad + decay · w. w, grad, v: (N,).
    Source: Tieleman & Hinton (2012), lecture 6.5, slide 29.
    """
    g = grad + decay * w if decay else grad
    v *= alpha
    v += (1 - alpha) * (g * g)
    w -= lr * g / (np.sqrt(v) + eps)


def lion(w, grad, m, decay, lr, beta1, beta2):
    """One step of Lion, in place on w and m: w = w - lr (sign(β₁ m + (1 - β₁) grad) + decay · w).

    Then m = β₂ m + (1 - β₂) grad. w, grad, m: (N,). Source: Chen et al. (2023), algorithm 2.
    """
    direction = np.sign(beta1 * m + (1 - beta1) * grad)
    w -= lr * (direction + decay * w)
    m *= beta2
    m += (1 - beta2) * grad


def muon(w, grad, m, decay, lr, momentum):
    """One step of Muon for a matrix, in place on w and m, all of shape (A, B).

        m = μ m + (1 - μ) grad        g = (1 - μ) grad + μ m
        w = w - lr · decay · w - lr · √max(1, B/A) · orthogonalize(g)

    Source: Jordan et al. (2024); B/A is the outputs over the inputs, as w acts from the right.
    """
    m *= momentum
    m += (1 - momentum) * grad
    direction = orthogonalize((1 - momentum) * grad + momentum * m)
    w -= lr * decay * w
    w -= lr * max(1.0, w.shape[1] / w.shape[0]) ** 0.5 * direction


def orthogonalize(x, steps: int = 5):
    """Roughly the orthogonal matrix nearest to x: singular values become about 1.  x: (A, B).

    Newton–Schulz iteration y = a y + (b y yᵀ + c (y yᵀ)²) y, with coefficients that pull singular
    values in (0, 1] to between 0.7 and 1.2. Source: Jordan et al. (2024).
    """
    y = x.T if x.shape[0] > x.shape[1] else x
    y = y / np.maximum(np.sqrt((y * y).sum()), y.dtype.type(1e-7))
    for _ in range(steps):
        square = y @ y.T
        y = 3.4445 * y + (-4.7750 * square + 2.0315 * (square @ square)) @ y
    return y.T if x.shape[0] > x.shape[1] else y
