"""Softmax along any axis, and results that replace what they were computed from."""

import inspect

import numpy as np
import pytest

from minillm import ops

pytest.importorskip("numba", reason="compares the twins with the definitions")

B, T, V = 2, 70, 37


def arrays(shape, count):
    rng = np.random.default_rng(0)
    return [rng.normal(0, 2, shape) for _ in range(count)]


@pytest.mark.parametrize("axis", [0, 1, 2, -2, -3])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_backward",
                                  "log_softmax_backward"])
def test_softmax_along_any_axis(name, axis):
    """The same as along the last axis of the turned array, in both, in place and out of it."""
    op = getattr(ops, name)
    count = sum(p.default is p.empty for p in inspect.signature(op.numpy).parameters.values())
    turned = [np.moveaxis(x, axis, -1) for x in arrays((B, 7, V), count)]
    expected = np.moveaxis(op.numpy(*[x.copy() for x in turned]), -1, axis)
    for which in (op.numpy, op.numba):
        xs = arrays((B, 7, V), count)
        np.testing.assert_allclose(which(*xs, axis=axis), expected, atol=1e-12)
        assert which(*xs, out=xs[0], axis=axis) is xs[0]
        np.testing.assert_allclose(xs[0], expected, atol=1e-12)
        with pytest.raises(ValueError, match="out of bounds"):
            which(*xs, axis=3)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_logsumexp_along_any_axis(axis):
    x, = arrays((4, 5), 1)
    np.testing.assert_allclose(ops.logsumexp(x, axis), np.log(np.exp(x).sum(axis)))
    assert ops.logsumexp(x[0]).shape == ()


@pytest.mark.parametrize("name", ["softmax_backward", "log_softmax_backward", "gelu_backward"])
def test_the_result_may_replace_what_it_was_computed_from(name):
    op = getattr(ops, name)
    dy, y = arrays((B, T, V), 2)
    expected = op.numpy(dy, y)
    assert op.numba(dy, y, out=y) is y
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("which", ["x", "w"])
def test_a_product_may_replace_a_factor(which):
    x, w = (a[0] for a in arrays((1, 600, 600), 2))
    expected = x @ w
    out = {"x": x, "w": w}[which]
    assert ops.linear(x, w, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-9)


def test_a_bias_that_is_a_row_of_what_it_is_added_to():
    for op in (ops.add_bias.numpy, ops.add_bias.numba):
        y = np.ones((3, 4), np.float32)
        op(y, y[0])
        assert (y == 2).all()
