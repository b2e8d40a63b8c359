"""The activations of feed-forward layers."""

from __future__ import annotations

import math

import numpy as np

from ..backends import twin

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


@twin
def gelu_exact(x, out=None):
    """y = x Φ(x), where Φ is the normal distribution: Φ(x) = (1 + erf(x / √2)) / 2.

    x: any shape -> y: the same shape. ``out`` may be ``x`` itself.
    Source: Hendrycks & Gimpel (2016), section 2; this is the form BERT uses.
    """
    return np.multiply(x, normal_cdf(x), out=out)


@twin
def gelu_exact_backward(dy, x, out=None):
    """dx = dy (Φ(x) + x φ(x)),  φ(x) = exp(-x²/2) / √(2π).

    dy, x: any one shape -> dx: the same shape. ``out`` may be ``dy`` itself.
    """
    density = np.exp(x * x * x.dtype.type(-0.5)) * x.dtype.type(1 / math.sqrt(2 * math.pi))
    return np.multiply(dy, normal_cdf(x) + x * density, out=out)


def normal_cdf(x):
    """Φ(x) of each number; NumPy has no erf, so Python's is asked for each."""
    return (0.5 + 0.5 * _erf(x * math.sqrt(0.5))).astype(x.dtype)


_erf = np.vectorize(math.erf, otypes=[np.float64])


@twin
def silu(x, out=None):
    """y = x σ(x),  σ(x) = 1 / (1 + exp(-x)), also called swish.

    x: any shape -> y: the same shape. ``out`` may be ``x`` itself.
    Source: Elfwing et al. (2018), section 2.
    """
    return np.multiply(x, sigmoid(x), out=out)


@twin
def silu_backward(dy, x, out=None):
    """dx = dy σ (1 + x (1 - σ)),  σ = σ(x).  dy, x: any one shape; ``out`` may be ``dy``."""
    s = sigmoid(x)
    return np.multiply(dy, s * (1 + x * (1 - s)), out=out)


def sigmoid(x):
    """1 / (1 + exp(-x)), as (1 + tanh(x/2)) / 2, which does not overflow."""
    half = x.dtype.type(0.5)
    return half + half * np.tanh(half * x)


def relu(x, out=None):
    """y = max(x, 0).  x: any shape; ``out`` may be ``x`` itself. Source: Nair & Hinton (2010)."""
    return np.maximum(x, 0, out=out)


def relu_backward(dy, x, out=None):
    """dx = dy where x > 0, else 0.  dy, x: any one shape; ``out`` may be ``dy`` itself."""
    return np.multiply(dy, x > 0, out=out)


ACTIVATIONS = {
    "gelu": (gelu, gelu_backward),
    "gelu_exact": (gelu_exact, gelu_exact_backward),
    "relu": (relu, relu_backward),
    "silu": (silu, silu_backward),
}
