"""The activation of GPT's feed-forward layer."""

from __future__ import annotations

import numpy as np

from ..backend import twin

ROOT = 0.7978845608028654  # √(2/π)
CUBIC = 0.044715


@twin
def gelu(x, out=None):
    """Gaussian error linear unit, tanh form: y = x (1 + tanh u) / 2,  u = √(2/π) (x + 0.044715 x³).

    x: any shape -> y: the same shape. ``out`` may be ``x`` itself.
    Source: Hendrycks & Gimpel (2016), section 2; this is the form GPT-2 uses.
    """
    u = ROOT * (x + CUBIC * (x * x * x))
    return np.multiply(0.5 * x, 1 + np.tanh(u), out=out)


@twin
def gelu_backward(dy, x, out=None):
    """dx = dy [(1 + t) / 2 + x (1 - t²) u' / 2],  t = tanh u,  u' = √(2/π) (1 + 3·0.044715 x²).

    dy, x: any one shape -> dx: the same shape. ``out`` may be ``dy`` itself.
    """
    t = np.tanh(ROOT * (x + CUBIC * (x * x * x)))
    du = ROOT * (1 + 3 * CUBIC * (x * x))
    return np.multiply(dy, 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du, out=out)
