"""GELU by its definition, whose kernel has a polynomial for the normal distribution in float32."""

import math

import numpy as np
import pytest

from minillm import ops

pytest.importorskip("numba", reason="the twins need Numba")

from minillm.kernels.compiling import COMPILED

X = np.linspace(-10, 10, 400_001, dtype=np.float32)


@pytest.fixture(scope="module")
def exact():
    """GELU and its slope at X, in float64."""
    x = X.astype(np.float64)
    tail = np.vectorize(math.erfc)(np.abs(x) * math.sqrt(0.5)) / 2
    slope = np.where(x > 0, 1 - tail, tail) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return np.maximum(x, 0) - np.abs(x) * tail, slope


def test_float32_is_right_to_rounding(exact):
    y, slope = exact
    np.testing.assert_allclose(ops.gelu_exact.numba(X), y, rtol=0, atol=3e-7)
    np.testing.assert_allclose(ops.gelu_exact_backward.numba(np.ones_like(X), X), slope, rtol=0,
                               atol=3e-7)


@pytest.mark.skipif(not COMPILED, reason="plain Python has float64's erf")
@pytest.mark.parametrize(("least", "error"), [(-5, 1.5e-6), (-10, 4e-6)])
def test_what_is_left_of_negative_numbers_keeps_its_digits(exact, least, error):
    here = (least <= X) & (X < 0)
    np.testing.assert_allclose(ops.gelu_exact.numba(X)[here], exact[0][here], rtol=error, atol=0)


def test_far_out():
    x = np.array([-1e30, -45, -20, 20, 45, 1e30], np.float32)
    np.testing.assert_array_equal(ops.gelu_exact.numba(x), np.maximum(x, 0))
    np.testing.assert_array_equal(ops.gelu_exact_backward.numba(np.ones_like(x), x), x > 0)
