"""Mixtures of experts: against loops, against transformers, and what is refused."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from minillm import backend, ops
from minillm.models import GPT, GPTConfig
from minillm.models.fast_decoding import is_known
from minillm.nn import Experts, Init, MixtureOfExperts, parameters_of, rebalance
from minillm.training import AdamW, Trainer, Workers, evaluate

from .gradients import check_gradients

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "experts.json").read_text())
SIZES = dict(vocab_size=13, context=8, layers=2, heads=4, width=16)
HF = {
    "Mixtral": Experts(5, 2, 4),
    "DeepSeek-V2": Experts(5, 2, 4, shared=2, normalize=False),
    "DeepSeek-V3": Experts(5, 2, 4, shared=2, gate="sigmoid", correction=True),
}
BACKENDS = pytest.mark.parametrize("which", ["numpy", "numba"])


def model_of(dtype=np.float64, **options):
    model = GPT(GPTConfig(**SIZES, experts=Experts(**{"count": 4, **options})), dtype=dtype)
    model.weights[:model.learned] = np.random.default_rng(1).normal(0, 0.4, model.learned)
    return model


def batch(rows=2):
    ids, targets = np.random.default_rng(0).integers(0, 13, (2, rows, 7))
    targets[0, 2] = -100
    return ids, targets


@BACKENDS
@pytest.mark.parametrize("name", HF)
def test_equals_transformers(name, which):
    """Output, gradient of the input and of every parameter; the library computes in float32."""
    e, golden = HF[name], GOLDEN[name]
    layer = MixtureOfExperts(6, 4, Init(0, np.float64), e, kind="swiglu")
    pairs = [(layer.router, "gate.weight", lambda w: w.T),
             (layer.gates, "experts.gate_up_proj", lambda w: w[:, :4].swapaxes(1, 2)),
             (layer.expand, "experts.gate_up_proj", lambda w: w[:, 4:].swapaxes(1, 2)),
             (layer.contract, "experts.down_proj", lambda w: w.swapaxes(1, 2))]
    if e.shared:
        pairs += [(getattr(layer.shared, mine).w, f"shared_experts.{theirs}_proj.weight",
                   np.transpose)
                  for mine, theirs in (("gate", "gate"), ("expand", "up"), ("contract", "down"))]
    if e.correction:
        layer.correction.value = golden["correction"]
    for parameter, theirs, turned in pairs:
        parameter.value = turned(np.array(golden["w"][theirs]))
    with backend(which):
        y, dx = layer(np.array(golden["x"])), layer.backward(np.array(golden["dy"]))
    np.testing.assert_allclose(y, golden["y"], rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(dx, golden["dx"], rtol=2e-5, atol=4e-6)
    for parameter, theirs, turned in pairs:
        np.testing.assert_allclose(parameter.grad, turned(np.array(golden["dw"][theirs])),
                                   rtol=2e-5, atol=4e-6)


def test_the_balance_is_that_of_transformers():
    """Which counts every choice of a token; ours is a share of all choices: 1 when balanced."""
    scores = np.array(GOLDEN["balance"]["scores"])
    p = ops.softmax(scores)
    shares = np.bincount(ops.choose(p, 2).ravel(), minlength=5) / 14
    assert 2 * ops.load_balance(p, shares) == pytest.approx(GOLDEN["balance"]["loss"], rel=1e-6)
    even = np.full((10, 5), 0.2)
    assert ops.load_balance(even, np.full(5, 0.2)) == pytest.approx(1)
    assert ops.load_balance(np.eye(5)[[3] * 4], np.eye(5)[3]) == pytest.approx(5)


def slowly(layer, x):
    """Token after token, expert after expert."""
    e, y = layer.experts, np.zeros_like(x)
    f, _ = ops.ACTIVATIONS[layer.activation]
    for n, token in enumerate(x):
        scores = token @ layer.router.value
        p = np.exp(scores) / np.exp(scores).sum() if e.gate == "softmax" \
            else 1 / (1 + np.exp(-scores))
        wish = p if layer.correction is None else p + layer.correction.value
        best = sorted(range(e.count), key=lambda i: (-wish[i], i))[:e.active]
        total = sum(p[i] for i in best) if e.normalize else 1
        for i in best:
            inside = f((token @ layer.expand.value[i])[None])[0]
            if layer.gates is not None:
                inside = f((token @ layer.gates.value[i])[None])[0] * (
                    token @ layer.expand.value[i])
            y[n] += p[i] / total * (inside @ layer.contract.value[i])
    return y if layer.shared is None else y + layer.shared(x)


@BACKENDS
@pytest.mark.parametrize("kind", ["gelu", "relu", "swiglu"])
@pytest.mark.parametrize("options", [
    {}, {"active": 1}, {"active": 4}, {"normalize": False, "shared": 1}, {"count": 1, "active": 1},
    {"gate": "sigmoid", "correction": True}, {"gate": "sigmoid", "normalize": False}])
def test_equals_a_loop(options, kind, which):
    layer = MixtureOfExperts(6, 5, Init(0, np.float64), Experts(**{"count": 4, **options}),
                             kind=kind, std=0.7)
    if layer.correction is not None:
        layer.correction.value = [0.3, -0.2, 0.1, 0]
    x = np.random.default_rng(2).normal(size=(3, 9, 6))
    with backend(which):
        np.testing.assert_allclose(layer(x), slowly(layer, x.reshape(27, 6)).reshape(x.shape),
                                   rtol=1e-10, atol=1e-12)


def test_softmax_then_top_k_is_top_k_then_softmax():
    scores = np.random.default_rng(0).normal(size=(50, 8))
    p = ops.softmax(scores)
    chosen = ops.choose(p, 3)
    np.testing.assert_allclose(ops.weigh(p, chosen),
                               ops.softmax(np.take_along_axis(scores, chosen, axis=1)), rtol=1e-12)


@BACKENDS
@pytest.mark.parametrize("options", [
    {"capacity": 0.6}, {"capacity": 0.01}, {"gate": "sigmoid", "normalize": False, "balance": 0.1,
                                            "z": 0.05, "capacity": 1.0}])
def test_gradients_with_a_capacity(options, which):
    model = model_of(**options)
    with backend(which):
        check_gradients(model, lambda: model.loss(*batch()))
    assert min((part.place < 0).sum() for part in model.mixtures()) > 0


@pytest.mark.parametrize("capacity", [None, 1, 3, 100])
def test_choices_are_sorted_by_expert(capacity):
    """First choices are served before second ones, and earlier tokens before later ones."""
    chosen = np.stack([np.random.default_rng(n).permutation(5)[:3] for n in range(20)])
    tokens, place, starts = ops.by_expert(chosen, 5, capacity)
    taken, expected = [[] for _ in range(5)], {}
    for j in range(3):
        for n in range(20):
            if capacity is None or len(taken[chosen[n, j]]) < capacity:
                expected[n, j] = (chosen[n, j], len(taken[chosen[n, j]]))
                taken[chosen[n, j]].append(n)
    assert tokens.tolist() == [n for those in taken for n in those]
    assert starts.tolist() == np.cumsum([0, *map(len, taken)]).tolist()
    for (n, j), row in np.ndenumerate(place):
        assert (row < 0) == ((n, j) not in expected)
        if row >= 0:
            expert, at = expected[n, j]
            assert row == starts[expert] + at


def test_a_capacity_counts_in_training_alone():
    """A text gets the same scores whatever stands beside it."""
    model, (ids, targets) = model_of(capacity=0.5), batch(6)
    alone = np.concatenate([model.forward(row[None]).copy() for row in ids])
    np.testing.assert_allclose(model.forward(ids), alone, rtol=1e-10)
    plain = model_of()
    assert model.loss(ids, targets) != pytest.approx(plain.loss(ids, targets), rel=1e-3)
    assert evaluate(model, [(ids, targets)]).loss == \
        pytest.approx(evaluate(plain, [(ids, targets)]).loss, rel=1e-12)


def test_penalties_are_in_the_loss_and_not_in_the_evaluation():
    model, plain = model_of(balance=0.1, z=0.03), model_of()
    ids, targets = batch()
    more = sum(0.1 * ops.load_balance(part.p, part.shares) + 0.03 * ops.z_loss(part.scores)
               for part in (model.loss(ids, targets), model.mixtures())[1])
    assert model.loss(ids, targets) == pytest.approx(plain.loss(ids, targets) + more, rel=1e-10)
    assert evaluate(model, [(ids, targets)]).loss == pytest.approx(plain.loss(ids, targets))


def test_a_scaled_loss_scales_the_penalties_too():
    model = model_of(balance=0.1, z=0.03)
    model.loss(*batch())
    model.backward()
    once = model.grads.copy()
    model.grads[:] = 0
    model.loss(*batch())
    model.backward(0.25)
    np.testing.assert_allclose(model.grads, once / 4, rtol=1e-9, atol=1e-15)


def test_workers_balance_their_own_rows():
    """As if each had a batch of its own: the sum over threads is that over batches."""
    model = model_of(balance=0.1, z=0.03)
    ids, targets = batch(4)
    targets[0, 2] = 3  # as many labels in both halves
    parts = [model.loss(ids[half], targets[half]) for half in (slice(2), slice(2, 4))]
    assert Workers(model, 2).add_gradient(ids, targets) == pytest.approx(np.mean(parts))


def test_rebalance_moves_what_is_chosen_and_nothing_else():
    model = model_of(gate="sigmoid", correction=True)
    model.loss(*batch())
    model.backward()
    before = model.weights.copy()
    counts = [np.array(part.counts) for part in model.mixtures()]
    rebalance(model, 0.25)
    for part, count in zip(model.mixtures(), counts, strict=True):
        assert count.sum() == 2 * 14
        assert part.correction.value.tolist() == (-0.25 * np.sign(count - 7)).tolist()
    assert np.array_equal(before[:model.learned], model.weights[:model.learned])
    with pytest.raises(ValueError, match="since the last rebalance"):
        rebalance(model, 0.25)
    with pytest.raises(ValueError, match="correction=True"):
        rebalance(model_of(), 0.25)


def imbalance(model):
    shares = np.array([part.shares for part in model.mixtures()])
    return float((shares * model.config.experts.count).max())


@pytest.mark.parametrize("how", ["loss", "correction"])
def test_balancing_balances(how):
    """Where nothing is done, one expert of a layer gets far more than its share."""
    options = {"loss": dict(balance=0.3), "correction": dict(correction=True)}[how]
    found = []
    for chosen in ({}, options):
        model = model_of(**chosen)
        trainer = Trainer(model, AdamW(model, 1e-3), iter([batch(8)] * 80), progress=False)
        for _ in range(80):
            trainer.train_step()
            if how == "correction" and chosen:
                rebalance(model, 0.01)
        found.append(imbalance(model))
    assert found[1] < 1.4 < 1.6 < found[0]


def test_copies_and_pickles_are_whole():
    model = model_of(gate="sigmoid", correction=True)
    model.loss(*batch())
    model.backward()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.replica()):
        assert np.array_equal(other.forward(batch()[0]), model.forward(batch()[0]))
        assert [part.counts for part in other.mixtures()] == \
            [part.counts for part in model.mixtures()]


def test_the_kernel_for_one_token_steps_aside():
    assert not is_known(model_of(dtype=np.float32))
    assert is_known(GPT(GPTConfig(**SIZES)))


def test_parameters_of_a_mixture():
    """Experts of width F have E(2C F) numbers, or E(3C F) with gates; the router C E."""
    for kind, matrices in (("gelu", 2), ("swiglu", 3)):
        config = GPTConfig(**SIZES, feed_forward=kind, experts=Experts(4, 2, 5, shared=2))
        inside = {name: p.value.size for name, p in parameters_of(GPT(config)).items()
                  if name.startswith("blocks.0.feed_forward")}
        assert sum(inside.values()) == 16 * 4 + matrices * 16 * 5 * (4 + 2)


def test_a_router_without_numbers_breaks_nothing():
    """NaN comes out, and no memory is touched that is not the model's."""
    for which in ("numpy", "numba"):
        layer = MixtureOfExperts(6, 5, Init(0, np.float32), Experts(4, 2))
        x = np.zeros((1, 3, 6), np.float32)
        x[0, 1] = np.nan
        with backend(which), np.errstate(all="ignore"):
            y = layer(x)
            assert np.isnan(y[0, 1]).all()
            assert np.isfinite(y[0, [0, 2]]).all()
            layer.backward(np.ones_like(x))


@pytest.mark.parametrize(("options", "named"), [
    (dict(count=0), "count=0"), (dict(active=5, count=4), "active=5"), (dict(active=0), "active=0"),
    (dict(gate="relu"), "gate='relu'"), (dict(balance=-1), "balance=-1"), (dict(z="x"), "z='x'"),
    (dict(capacity=0), "capacity=0"), (dict(hidden=0), "hidden=0"), (dict(shared=-1), "shared=-1"),
    (dict(shared=1.5), "shared=1.5")])
def test_options_that_make_no_sense_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        Experts(**options)


def test_a_config_takes_experts_or_nothing():
    with pytest.raises(ValueError, match="experts=3"):
        GPTConfig(**SIZES, experts=3)
    assert GPTConfig(**SIZES, experts={"count": 3}).experts == Experts(3)
