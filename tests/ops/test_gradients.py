"""Every backward against finite differences, and against the tape, in float64."""

import numpy as np
import pytest

from minillm import autograd, backend, ops
from minillm.models import GPT, GPTConfig
from minillm.models.taped import taped_loss

BACKENDS = ["numpy", pytest.param("numba", marks=pytest.mark.skipif(
    not pytest.importorskip("importlib.util").find_spec("numba"), reason="Numba is missing"))]


def directional(loss, arrays, grads, seed=0, step=1e-5):
    """Relative error of ⟨grad, d⟩ against a central difference along a random direction d."""
    rng = np.random.default_rng(seed)
    directions = [rng.normal(size=a.shape) for a in arrays]
    before = [a.copy() for a in arrays]
    values = []
    for sign in (1, -1):
        for a, d, a0 in zip(arrays, directions, before, strict=True):
            a[...] = a0 + sign * step * d
        values.append(loss())
    for a, a0 in zip(arrays, before, strict=True):
        a[...] = a0
    numeric = (values[0] - values[1]) / (2 * step)
    exact = sum(float((g * d).sum()) for g, d in zip(grads, directions, strict=True))
    return abs(numeric - exact) / max(abs(numeric), abs(exact), 1e-3)


@pytest.fixture(params=BACKENDS)
def either(request):
    with backend(request.param):
        yield request.param


def randoms(*shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_probability(either, name):
    x, dy = randoms((3, 5, 7), (3, 5, 7))
    forward, backward = getattr(ops, name), getattr(ops, name + "_backward")
    dx = backward(dy, forward(x))
    assert directional(lambda: (forward(x) * dy).sum(), [x], [dx]) < 1e-7


def test_gelu(either):
    x, dy = randoms((4, 9), (4, 9))
    dx = ops.gelu_backward(dy, x)
    assert directional(lambda: (ops.gelu(x) * dy).sum(), [x], [dx]) < 1e-7


def test_layer_norm(either):
    x, w, b, dy = randoms((2, 5, 8), (8,), (8,), (2, 5, 8))
    dw, db = np.zeros(8), np.zeros(8)
    _, stats = ops.layer_norm(x, w, b)
    dx = ops.layer_norm_backward(dy, x, w, stats, dw, db)
    loss = lambda: (ops.layer_norm(x, w, b)[0] * dy).sum()  # noqa: E731
    assert directional(loss, [x, w, b], [dx, dw, db]) < 1e-7


def test_linear(either):
    x, w, b, dy = randoms((2, 5, 8), (8, 3), (3,), (2, 5, 3))
    dw, db = np.zeros((8, 3)), np.zeros(3)
    dx = ops.linear_backward(dy, x, w, dw, db)
    assert directional(lambda: (ops.linear(x, w, b) * dy).sum(), [x, w, b], [dx, dw, db]) < 1e-7


def test_embedding_with_repeated_ids(either):
    w, dy = randoms((6, 4), (2, 5, 4))
    ids = np.array([[1, 1, 1, 0, 5], [5, 1, 2, 2, 0]])
    dw = np.zeros_like(w)
    ops.embedding_backward(dy, ids, dw)
    assert directional(lambda: (ops.embedding(ids, w) * dy).sum(), [w], [dw]) < 1e-7


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("T", "S"), [(1, 1), (5, 5), (3, 9), (70, 140)])
def test_attention(either, causal, masked, T, S):
    q, dy = randoms((2, 2, T, 6), (2, 2, T, 6))
    k, v = randoms((2, 2, S, 6), (2, 2, S, 6), seed=2)
    mask = None
    if masked:
        mask = np.random.default_rng(0).random((2, 1, T, S)) < 0.6
        mask[1, 0, T // 2] = False  # a query that sees nothing
    y, saved = ops.attention(q, k, v, causal, mask)
    grads = ops.attention_backward(dy, q, k, v, y, saved, causal, mask)
    loss = lambda: (ops.attention(q, k, v, causal, mask)[0] * dy).sum()  # noqa: E731
    assert directional(loss, [q, k, v], grads) < 1e-6


def test_cross_entropy_with_ignored_labels(either):
    logits, = randoms((2, 5, 7))
    labels = np.array([[1, 2, -100, 0, 6], [6, 6, -100, -100, 3]])
    dlogits = np.empty_like(logits)
    loss = ops.cross_entropy(logits, labels, dlogits=dlogits)
    assert directional(lambda: ops.cross_entropy(logits, labels), [logits], [dlogits]) < 1e-7
    rows = ops.log_softmax.numpy(logits)[labels != -100]
    by_hand = -np.mean([row[t] for row, t in zip(rows, labels[labels != -100], strict=True)])
    assert loss == pytest.approx(by_hand, abs=1e-12)
    assert not dlogits[labels == -100].any()


def test_cross_entropy_without_labels_is_zero(either):
    logits, = randoms((2, 3))
    assert ops.cross_entropy(logits, np.array([-100, -100]), dlogits=logits) == 0
    assert not logits.any()


@pytest.mark.parametrize("norm_first", [True, False])
def test_every_parameter_of_a_gpt(either, norm_first):
    model = random_gpt(norm_first)
    ids, targets = batch(model)
    gradient(model, ids, targets)
    found = {name: p.grad.copy() for name, p in model.named_parameters()}
    for name, p in model.named_parameters():
        error = directional(lambda: model.loss(ids, targets), [p.value], [found[name]])
        assert error < 1e-6, name


def random_gpt(norm_first=True):
    config = GPTConfig(vocab_size=13, context=8, layers=2, heads=2, width=8,
                       norm_first=norm_first)
    model = GPT(config, dtype=np.float64)
    model.weights[:] = np.random.default_rng(0).normal(0, 0.4, model.weights.shape)
    return model


def batch(model):
    rng = np.random.default_rng(1)
    ids, targets = rng.integers(0, model.config.vocab_size, (2, 3, 7))
    targets[0, 2] = -100
    return ids, targets


def gradient(model, ids, targets):
    model.grads[:] = 0
    loss = model.loss(ids, targets)
    model.backward()
    return loss


@pytest.mark.parametrize("norm_first", [True, False])
def test_the_tape_agrees_on_a_whole_gpt(norm_first):
    model = random_gpt(norm_first)
    ids, targets = batch(model)
    targets = np.where(targets < 0, 0, targets)
    loss = gradient(model, ids, targets)
    taped, tensors = taped_loss(model, ids, targets)
    taped.backward()
    assert float(taped.value) == pytest.approx(loss, abs=1e-12)
    for name, p in model.named_parameters():
        np.testing.assert_allclose(p.grad, tensors[name].grad, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("expression", [
    lambda a, b: (a @ b.transpose(1, 0)).tanh().sum(),
    lambda a, b: ((a + b[0]) ** 3.0 / (b.exp() + 1)).mean(),
    lambda a, b: (a.sum(axis=0, keepdims=True) * b - a).sum(axis=1).exp().sum().log(),
    lambda a, b: autograd.softmax(a * b)[[0, 0, 2], [1, 1, 3]].sum(),
    lambda a, b: (1.0 / (a * a + 1.0)).masked(a.value > 0, 0.5).sum() - b.mean(axis=0).sum(),
])
def test_the_tape_against_finite_differences(expression):
    a, b = randoms((3, 4), (3, 4))
    ta, tb = autograd.Tensor(a), autograd.Tensor(b)
    expression(ta, tb).backward()
    value = lambda: float(expression(autograd.Tensor(a), autograd.Tensor(b)).value)  # noqa: E731
    assert directional(value, [a, b], [ta.grad, tb.grad]) < 1e-6


def test_the_tape_wants_a_scalar():
    with pytest.raises(ValueError, match=r"\(2,\)"):
        autograd.Tensor([1.0, 2.0]).backward()
