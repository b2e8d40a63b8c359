"""The linear layer in every layout it may meet, against NumPy's other products."""

import numpy as np
import pytest

from minillm import ops, threads


def arrays(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("lead", [(5,), (2, 3), (2, 3, 2)])
@pytest.mark.parametrize("strided", [False, True])
def test_forward(lead, strided):
    x, w, b = arrays((*lead, 4), (4, 6), (6,))
    wide = np.full((*lead, 12), 7.0)
    out = wide[..., ::2] if strided else np.empty((*lead, 6))
    y = ops.linear(x, w, b, out=out)
    assert y is out
    np.testing.assert_allclose(y, np.einsum("...c,cf->...f", x, w) + b)
    np.testing.assert_array_equal(wide[..., 1::2], 7.0)
    np.testing.assert_allclose(ops.linear(x[..., ::-1], w), np.einsum("...c,cf->...f",
                                                                      x[..., ::-1], w))


@pytest.mark.parametrize("lead", [(5,), (2, 3)])
@pytest.mark.parametrize("tied", [False, True])
def test_backward_adds_to_what_is_there(lead, tied):
    x, w, dy, start, db = arrays((*lead, 4), (4, 6), (*lead, 6), (4, 6), (6,))
    dw = np.asfortranarray(start) if tied else start.copy()
    sums = db.copy()
    dx = ops.linear_backward(dy, x, w, dw, sums)
    np.testing.assert_allclose(dx, np.einsum("...f,cf->...c", dy, w))
    np.testing.assert_allclose(dw, start + np.tensordot(x, dy, (range(len(lead)),) * 2))
    np.testing.assert_allclose(sums, db + dy.reshape(-1, 6).sum(axis=0))


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("M", "C", "F"), [(1, 400, 30_000), (4, 300, 16_000), (16, 384, 2048),
                                           (16, 300, 2500), (24, 384, 2048), (40, 500, 600),
                                           (3000, 200, 30)])
def test_large_products_do_not_depend_on_the_threads(monkeypatch, tied, M, C, F):
    """Few rows and many, by rows, columns and turned, against float64."""
    x, w = (a.astype(np.float32) for a in arrays((M, C), (F, C) if tied else (C, F)))
    w = w.T if tied else w
    found = []
    for count in ("1", "3"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", count)
        monkeypatch.setattr(threads, "_pool", threads.Pool())
        found.append(ops.linear(x, w))
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(found[0], x.astype(np.float64) @ w, atol=2e-4)
