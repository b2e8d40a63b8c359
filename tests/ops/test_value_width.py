"""Values may be wider or narrower than queries and keys, in the definitions and in the twins."""

from __future__ import annotations

import numpy as np
import pytest

from minillm import backend, ops


@pytest.mark.parametrize("W", [1, 6, 21])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_and_its_gradient(W: int, causal: bool) -> None:
    """y has the width of the values; the gradients agree, and dv with a finite difference."""
    rng = np.random.default_rng(W)
    q, k = rng.normal(size=(1, 2, 70, 5)), rng.normal(size=(1, 2, 140, 5))
    v, dy = rng.normal(size=(1, 2, 140, W)), rng.normal(size=(1, 2, 70, W))
    found = []
    for name in ("numpy", "numba"):
        with backend(name):
            y, saved = ops.attention(q, k, v, causal)
            found.append((y, *ops.attention_backward(dy, q, k, v, y, saved, causal)))
            step = rng.normal(size=v.shape)
            above, _ = ops.attention(q, k, v + 1e-6 * step, causal)
            below, _ = ops.attention(q, k, v - 1e-6 * step, causal)
        assert y.shape == dy.shape
        slope = ((above - below) * dy).sum() / 2e-6
        assert np.isclose((found[-1][3] * step).sum(), slope, rtol=1e-6, atol=1e-6)
    for defined, twin in zip(*found):
        np.testing.assert_allclose(twin, defined, atol=1e-12)


def test_decoding_one_token() -> None:
    """The twin returns the width of the values, as the definition does."""
    rng = np.random.default_rng(0)
    q, keys = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 9, 5))
    values = rng.normal(size=(2, 3, 9, 8))
    start = np.array([0, 4])
    defined = ops.attention_decode.numpy(q, keys, values, start)
    assert defined.shape == (2, 3, 8)
    np.testing.assert_allclose(ops.attention_decode.numba(q, keys, values, start), defined)
