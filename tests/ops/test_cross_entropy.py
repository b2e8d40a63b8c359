"""Where the gradient of the loss is written, and which labels are refused."""

import numpy as np
import pytest

import minillm
from minillm import backend, ops

V = 5


@pytest.mark.parametrize("which", ["numpy", "numba"])
@pytest.mark.parametrize("layout", ["rows", "columns", "turned", "whole"])
@pytest.mark.parametrize("itself", [False, True])
def test_the_gradient_is_written_into_memory_of_any_layout(which, layout, itself):
    if which == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    memory = {"rows": lambda: np.full((3, 7, V), 7.0)[:, ::2],
              "columns": lambda: np.full((3, 4, 2 * V), 7.0)[..., ::2],
              "turned": lambda: np.full((V, 4, 3), 7.0).T,
              "whole": lambda: np.full((3, 4, V), 7.0)}[layout]()
    logits, targets = rng.normal(size=(3, 4, V)), rng.integers(0, V, (3, 4))
    targets[1, 2] = -100
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = np.where((targets < 0)[..., None], 0, p - np.eye(V)[targets % V]) / 11
    loss = -np.log(np.take_along_axis(p, targets[..., None] % V, -1))[..., 0][targets >= 0].mean()
    if itself:
        memory[:] = logits
        logits = memory
    with minillm.backend(which):
        assert ops.cross_entropy(logits, targets, dlogits=memory) == pytest.approx(loss, rel=1e-9)
    np.testing.assert_allclose(memory, expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool, complex, object])
def test_targets_that_are_no_integers_are_refused(dtype):
    with pytest.raises(TypeError, match=f"targets has dtype {np.dtype(dtype)}; expected integers"):
        ops.cross_entropy(np.zeros((2, V)), np.ones(2, dtype))


def test_memory_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"dlogits has shape \(5, 2\); expected logits' \(2, 5\)"):
        ops.cross_entropy(np.zeros((2, V)), np.ones(2, int), dlogits=np.zeros((V, 2)))


@pytest.mark.parametrize("which", ["numpy", "numba"])
def test_smoothing_by_brute_force(which):
    """The loss is -Σ q log p with ε spread over all V; its gradient is (p - q) / n."""
    rng = np.random.default_rng(9)
    z, targets = rng.normal(0, 3, (2, 5, 7)), rng.integers(0, 7, (2, 5))
    targets[0, 1] = targets[1, 4] = -100
    q = 0.9 * np.eye(7)[np.maximum(targets, 0)] + 0.1 / 7
    q[targets == -100] = 0
    expected = -(q * ops.log_softmax.numpy(z)).sum() / 8
    dz = np.empty_like(z)
    with backend(which):
        assert ops.cross_entropy(z, targets, smoothing=0.1) == pytest.approx(expected, abs=1e-12)
        loss = ops.cross_entropy(z, targets, dlogits=dz, smoothing=0.1)
    assert loss == pytest.approx(expected, abs=1e-12)
    p = ops.softmax.numpy(z)
    p[targets == -100] = 0
    np.testing.assert_allclose(dz, (p - q) / 8, atol=1e-12)


def test_smoothing_in_place_and_refused():
    """The gradient may take the place of the logits; 1 would leave nothing of the target."""
    z, targets = np.random.default_rng(3).normal(size=(4, 6)), np.array([1, 0, 5, 2])
    apart = np.empty_like(z)
    loss = ops.cross_entropy(z, targets, dlogits=apart, smoothing=0.2)
    assert ops.cross_entropy(z, targets, dlogits=z, smoothing=0.2) == loss
    np.testing.assert_array_equal(z, apart)
    for smoothing in (1, -0.1, True, None):
        with pytest.raises(ValueError, match="smoothing="):
            ops.cross_entropy(z, targets, smoothing=smoothing)
