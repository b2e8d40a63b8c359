"""A query that may look at nothing gets zeros, and so do its gradients."""

import numpy as np
import pytest

import minillm
from minillm import ops


@pytest.mark.parametrize("which", ["numpy", "numba"])
@pytest.mark.parametrize(("T", "S"), [(5, 2), (9, 1), (200, 70)])
def test_more_queries_than_keys(which, T, S):
    """The last S queries see what they would see alone; those before stand before all keys."""
    if which == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    q, dy = rng.normal(size=(2, 2, 3, T, 4))
    k, v = rng.normal(size=(2, 2, 3, S, 4))
    early = T - S
    with minillm.backend(which):
        y, saved = ops.attention(q, k, v, True)
        dq, dk, dv = ops.attention_backward(dy, q, k, v, y, saved, True)
        late, kept = ops.attention(q[:, :, early:], k, v, True)
        expected = ops.attention_backward(dy[:, :, early:], q[:, :, early:], k, v, late, kept, True)
    assert not y[:, :, :early].any()
    assert not dq[:, :, :early].any()
    for a, b in zip((y[:, :, early:], dq[:, :, early:], dk, dv), (late, *expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("which", ["numpy", "numba"])
def test_decoding_a_row_of_padding(which):
    if which == "numba":
        pytest.importorskip("numba")
    x = np.ones((2, 1, 3, 4))
    with minillm.backend(which):
        y = ops.attention_decode(x[:, :, 0], x, x, np.array([3, 1]))
    np.testing.assert_array_equal(y, [[[0] * 4], [[1] * 4]])
