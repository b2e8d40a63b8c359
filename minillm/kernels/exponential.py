"""exp, tanh and the tail of the normal distribution that can become vector instructions.

Without Intel's vector library Numba calls the C library for each element. In float32 a polynomial
does: exp(x) = 2ⁿ exp(r) with n = round(x / ln 2) and |r| ≤ ln 2 / 2. Its relative error is below
2e-7. float64 keeps the exact function. Coefficients: Cephes expf (Moshier, 1992).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, int32, types
from numba.extending import overload

from .compiling import FAST, instruction, njit

SCALAR: dict[str, Any] = {"fastmath": FAST, "error_model": "numpy"}


def _float_from_bits(bits):
    return np.int32(bits).view(np.float32)


@instruction(_float_from_bits)
def float_from_bits(typingctx, bits):
    """The float32 whose bit pattern is this int32."""
    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())
    return types.float32(types.int32), generate


@njit(**SCALAR)
def exp_float32(x):
    n = np.floor(x * float32(1.44269504) + float32(0.5))
    r = x - n * float32(0.693359375)  # ln 2 in two parts, so that n ln 2 loses no digits
    r = r + n * float32(2.12194440e-4)
    p = float32(1.9875691500e-4)
    p = p * r + float32(1.3981999507e-3)
    p = p * r + float32(8.3334519073e-3)
    p = p * r + float32(4.1665795894e-2)
    p = p * r + float32(1.6666665459e-1)
    p = p * r + float32(5.0000001201e-1)
    y = (p * r * r + r + float32(1)) * float_from_bits((int32(n) + int32(127)) << int32(23))  # type: ignore
    y = float32(0) if x < float32(-87.33654) else y
    y = float32(math.inf) if x > float32(88.37626) else y
    return x if x != x else y


def exp(x):
    """exp(x) inside kernels. In float32, 0 below -87.33 and inf above 88.37; NaN stays NaN."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@overload(exp, jit_options=SCALAR)  # type: ignore
def _exp(x):
    if x == types.float32:
        def fast(x):
            return exp_float32(x)
        return fast

    def exact(x):
        return math.exp(x)
    return exact


@njit(**SCALAR)
def tanh(x, one):
    """tanh x = 1 - 2 / (exp(2x) + 1), whose two ends are exactly ±1; ``one`` has x's type."""
    return one - (one + one) / (exp(x + x) + one)


@njit(**SCALAR)
def tail_float32(a, bell):
    t = float32(1) / (float32(1) + float32(0.35) * a)
    p = float32(-2.957654334e-2)  # tests/golden/make_normal_tail.py
    p = p * t + float32(1.460690332e-1)
    p = p * t + float32(-2.600329006e-1)
    p = p * t + float32(1.640634956e-1)
    p = p * t + float32(-2.642269544e-2)
    p = p * t + float32(1.068764618e-1)
    p = p * t + float32(1.194981413e-1)
    p = p * t + float32(1.399059745e-1)
    p = p * t + float32(1.396190164e-1)
    return p * t * bell


def tail(a, bell):
    """Φ(-a) = (1 - erf(a / √2)) / 2 for a ≥ 0 inside kernels, given bell = exp(-a²/2).

    In float32 a polynomial in 1 / (1 + 0.35 a) times the bell: its relative error is below 1e-6 up
    to a = 5, where the tail is 3e-7, and below 4e-6 as far as float32 reaches.
    """
    return 0.5 - 0.5 * math.erf(a * math.sqrt(0.5))


@overload(tail, jit_options=SCALAR)  # type: ignore
def _tail(a, bell):
    if a == types.float32:
        def fast(a, bell):
            return tail_float32(a, bell)
        return fast

    def exact(a, bell):
        return 0.5 - 0.5 * math.erf(a * math.sqrt(0.5))
    return exact
