"""Recurrence and convolution: equal to PyTorch's, gradients, what a state hands on."""

import json
from pathlib import Path

import numpy as np
import pytest

from minillm import backend, ops
from minillm.nn import Elman, GatedConvolution, Init, LongShortTerm, gradient_norms

from . import sequence_problem as problem

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sequences.json").read_text())
LAYERS = {"rnn": (Elman, 1), "lstm": (LongShortTerm, 4)}


@pytest.fixture(params=["numpy", "numba"])
def either(request):
    with backend(request.param):
        yield request.param


def layer_of(name):
    kind, gates = LAYERS[name]
    layer = kind(problem.C, problem.H, Init(0, np.float64))
    w, u, b_input, b_state = problem.weights[gates]
    layer.w.value, layer.u.value = w.T, u.T
    layer.b.value = (b_input + b_state).reshape(layer.b.shape)
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_recurrent_layers_equal_pytorchs(name, either):
    layer, golden = layer_of(name), GOLDEN[name]
    np.testing.assert_allclose(layer(problem.x), golden["y"], rtol=1e-12, atol=1e-14)
    dx = layer.backward(problem.dy)
    np.testing.assert_allclose(dx, golden["dx"], rtol=1e-11, atol=1e-13)
    dw, du, db = golden["dw"]
    np.testing.assert_allclose(layer.w.grad, np.transpose(dw), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(layer.u.grad, np.transpose(du), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(layer.b.grad.ravel(), db, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("which", range(len(problem.CONVOLUTIONS)))
def test_convolutions_equal_pytorchs(which, either):
    (K, dilation), golden = problem.CONVOLUTIONS[which], GOLDEN["convolutions"][which]
    w = np.ascontiguousarray(problem.kernels[which].transpose(2, 1, 0)).reshape(-1, problem.F)
    y = ops.convolve(problem.x, w, problem.bias, dilation)
    np.testing.assert_allclose(y, golden["y"], rtol=1e-12, atol=1e-14)
    dw, db = np.zeros_like(w), np.zeros(problem.F)
    seen = ops.look_back(problem.x, K, dilation)
    dx = ops.convolve_backward(problem.dconv, seen, K, w, dw, db, dilation)
    np.testing.assert_allclose(dx, golden["dx"], rtol=1e-12, atol=1e-13)
    dw = dw.reshape(K, problem.C, problem.F).transpose(2, 1, 0)
    np.testing.assert_allclose(dw, golden["dw"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(db, golden["db"], rtol=1e-12)


@pytest.mark.parity
@pytest.mark.parametrize("name", LAYERS)
def test_an_installed_pytorch_agrees(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    kind, _ = LAYERS[name]
    theirs = getattr(torch.nn, name.upper())(6, 8, batch_first=True)
    layer = kind(6, 8, Init(0))
    w, u, b_input, b_state = (p.detach().numpy() for p in theirs.parameters())
    layer.w.value, layer.u.value = w.T, u.T
    layer.b.value = (b_input + b_state).reshape(layer.b.shape)
    x = rng.normal(size=(3, 20, 6)).astype(np.float32)
    y, _ = theirs(torch.tensor(x))
    np.testing.assert_allclose(layer(x), y.detach().numpy(), atol=2e-6)


def slope(loss, array, gradient, seed=0, step=1e-5):
    """Relative error of a gradient along a random direction, against a central difference."""
    along, before, values = np.random.default_rng(seed).normal(size=array.shape), array.copy(), []
    for sign in (1, -1):
        array[...] = before + sign * step * along
        values.append(loss())
    array[...] = before
    numeric, exact = (values[0] - values[1]) / (2 * step), float((gradient * along).sum())
    return abs(numeric - exact) / max(abs(numeric), abs(exact), 1e-3)


@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("make", [
    lambda init: Elman(5, 4, init), lambda init: LongShortTerm(5, 4, init),
    lambda init: GatedConvolution(5, init, kernel=3, dilation=2),
    lambda init: GatedConvolution(5, init, kernel=1), lambda init: GatedConvolution(5, init, 2, 9),
], ids=["Elman", "LSTM", "dilated", "kernel of 1", "beyond T"])
def test_gradients_of_layers(make, B, either):
    layer = make(Init(1, np.float64))
    rng = np.random.default_rng(2)
    for _, p in layer.named_parameters():
        p.value = rng.normal(0, 0.6, p.shape)
    x = rng.normal(size=(B, 6, 5))
    dy = rng.normal(size=layer(x).shape)

    def loss():
        return float((layer(x) * dy).sum())

    loss()
    dx = layer.backward(dy.copy()).copy()
    assert slope(loss, x, dx) < 1e-7
    for name, p in layer.named_parameters():
        assert slope(loss, p.value, p.grad) < 1e-7, name


def test_gated(either):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 8)), rng.normal(size=(2, 3, 4))
    dx = ops.gated_backward(dy, x)
    assert slope(lambda: float((ops.gated(x) * dy).sum()), x, dx) < 1e-7
    into = np.empty((2, 3, 4))
    assert ops.gated(x, out=into) is into
    np.testing.assert_allclose(into, np.tanh(x[..., :4]) / (1 + np.exp(-x[..., 4:])), rtol=1e-12)
    assert ops.gated_backward(dy, x, out=x) is x
    np.testing.assert_allclose(x, dx, rtol=1e-12)


def test_look_back_by_hand():
    x = np.array([[[1.0], [2], [3], [4]]])
    assert ops.look_back(x, 3)[0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert ops.look_back(x, 2, dilation=3)[0].tolist() == [[0, 1], [0, 2], [0, 3], [1, 4]]
    assert ops.look_back(x, 2, dilation=10**30)[0].tolist() == [[0, 1], [0, 2], [0, 3], [0, 4]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_batches_in_parts_are_the_whole(name, dtype):
    """Rows that threads share come out as rows alone, forward and backward.

    Up to rounding: a product of few rows may be summed in another order than one of many.
    """
    kind, _ = LAYERS[name]
    H, B = 512, 40  # enough for parts
    layer = kind(8, H, Init(0, dtype))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(B, 3, 8)).astype(dtype)
    dy = rng.normal(size=(B, 3, H)).astype(dtype)
    y, dx = layer(x).copy(), layer.backward(dy).copy()
    close = np.finfo(dtype).eps * H**0.5  # of sums of H products of numbers near one
    for rows in (slice(0, 3), slice(17, 25), slice(39, 40)):
        np.testing.assert_allclose(layer(x[rows]), y[rows], atol=close)
        np.testing.assert_allclose(layer.backward(dy[rows]), dx[rows], rtol=0, atol=8 * close)


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_norms_are_those_of_the_jacobian(name):
    """Every state moved a little, and what becomes of the last one."""
    layer = layer_of(name)
    x = problem.x[:1]
    norms = gradient_norms(layer, x, seed=4)
    assert norms.shape == (problem.T,)
    last = np.random.default_rng(4).normal(size=(1, problem.H))
    last /= np.linalg.norm(last)
    layer(x)
    states = [layer.h.copy()] + ([layer.c.copy()] if name == "lstm" else [])
    a = ops.linear(x.swapaxes(0, 1), layer.w.value, layer.b.value.ravel())

    def rest(t, moved):
        """The last state, if those at time t are ``moved``."""
        h, *c = (np.zeros((problem.T - t + 1, 1, problem.H)) for _ in moved)
        for array, start in zip([h, *c], moved, strict=True):
            array[0] = start
        if c:
            ops.lstm(a[t:].copy(), layer.u.value, h, c[0])
        else:
            ops.tanh_recurrence(a[t:], layer.u.value, h)
        return float((h[-1] * last).sum())

    for steps in range(problem.T):
        t, squares = problem.T - steps, 0.0
        for which in range(len(states)):
            for j in range(problem.H):
                found = []
                for sign in (1e-6, -1e-6):
                    moved = [s[t].copy() for s in states]
                    moved[which][0, j] += sign
                    found.append(rest(t, moved))
                squares += ((found[0] - found[1]) / 2e-6) ** 2
        assert norms[steps] == pytest.approx(np.sqrt(squares), rel=1e-5)


def test_gradient_norms_leave_gradients_alone():
    layer = layer_of("rnn")
    gradient_norms(layer, problem.x)
    assert not layer.w.grad.any()
    assert gradient_norms(layer, problem.x)[0] == pytest.approx(1)


def test_what_vanishes_and_what_stays():
    """The state of Elman's network forgets; a cell whose gate stays open does not."""
    x = np.random.default_rng(0).normal(size=(4, 60, 8))
    forgets, keeps = Elman(8, 16, Init(0, np.float64)), LongShortTerm(8, 16, Init(0, np.float64))
    forgets.u.value *= 0.8
    keeps.b.value[1] = 6
    far = [gradient_norms(layer, x)[-1] for layer in (forgets, keeps)]
    assert far[0] < 1e-3
    assert far[1] > 0.1
