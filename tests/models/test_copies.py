"""Copies, pickles and replicas of a model: whose memory is whose, and that each of them learns."""

import copy
import pickle

import numpy as np
import pytest

from minillm import backend
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW

SMALL = GPTConfig(vocab_size=11, context=8, layers=2, heads=2, width=8)
IDS = np.arange(8)[None]


def unpickled(thing):
    return pickle.loads(pickle.dumps(thing))


def used(seed=0):
    """A model that has run, so that it holds buffers and gradients."""
    model = GPT(SMALL, seed=seed)
    model.loss(IDS, IDS)
    model.backward()
    model.generate([1], 3)
    return model


def learn(model, optimizer, steps=10):
    for _ in range(steps):
        model.grads[:] = 0
        loss = model.loss(IDS, IDS)
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()
    return loss


@pytest.mark.parametrize("make", [copy.deepcopy, unpickled])
def test_a_copy_is_whole_and_learns_like_its_original(make):
    model = used()
    other = make(model)
    assert np.array_equal(other.weights, model.weights)
    assert np.array_equal(other.grads, model.grads)
    assert other.grads.any()
    assert other.decayed == model.decayed
    assert other.config == model.config
    for (name, p), (_, q) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert np.shares_memory(q.value, other.weights), name
        assert np.shares_memory(q.grad, other.grads), name
        assert not np.shares_memory(q.value, model.weights), name
        assert p.start == q.start
    assert other.blocks[0].norm1._scratch is other.blocks[1].norm1._scratch
    assert other.blocks[0].norm1._scratch is not model.blocks[0].norm1._scratch
    mine, theirs = (learn(m, AdamW(m, lr=0.05)) for m in (model, other))
    assert mine == theirs < 1.5
    assert np.array_equal(model.weights, other.weights)


@pytest.mark.parametrize("make", [copy.deepcopy, unpickled])
def test_a_copy_is_independent(make):
    model = used()
    before = model.weights.copy()
    other = make(model)
    other.weights[:] = 7
    other.grads[:] = 7
    assert np.array_equal(model.weights, before)
    assert not (model.grads == 7).any()


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("make", [copy.deepcopy, unpickled, copy.copy])
def test_weights_written_into_a_copy_are_those_it_decodes_with(make, name):
    source = GPT(SMALL, seed=1)
    source.weights *= 30
    with backend(name):
        other = make(used())
        other.weights[:] = source.weights
        whole, cache = other.forward(IDS)[:, -1].copy(), other.new_cache(1)
        for t in range(8):
            step = other.extend(IDS[:, t:t + 1], cache)
    np.testing.assert_allclose(step, whole, atol=1e-3)
    np.testing.assert_allclose(whole, source.forward(IDS)[:, -1], atol=1e-3)


def test_a_pickle_holds_no_buffers():
    model = GPT(SMALL)
    fresh = len(pickle.dumps(model))
    model.loss(np.zeros((50, 8), int), np.zeros((50, 8), int))
    assert len(pickle.dumps(model)) < fresh + 1000


def test_a_copy_between_loss_and_backward_needs_its_own_loss():
    model = GPT(SMALL)
    model.loss(IDS, IDS)
    other = copy.deepcopy(model)
    with pytest.raises(RuntimeError, match="needs a loss"):
        other.backward()
    model.backward()


@pytest.mark.parametrize("make", [copy.deepcopy, unpickled])
def test_model_and_optimizer_are_copied_together(make):
    model = GPT(SMALL)
    optimizer = AdamW(model, lr=0.05)
    learn(model, optimizer, 3)
    other, its = make((model, optimizer))
    assert its.model is other
    assert learn(other, its, 7) == learn(model, optimizer, 7)
    assert np.array_equal(model.weights, other.weights)
    assert np.array_equal(optimizer.v, its.v)


@pytest.mark.parametrize("make", [lambda model: model.replica(), copy.copy])
def test_a_replica_shares_weights_only(make):
    model = used()
    other = make(model)
    model.weights[:] = GPT(SMALL, seed=5).weights
    assert np.shares_memory(other.weights, model.weights)
    assert not np.shares_memory(other.grads, model.grads)
    assert not other.grads.any()
    expected = model.loss(IDS, IDS)
    model.grads[:] = 0
    assert other.loss(IDS, IDS) == expected
    model.backward()
    other.backward()
    assert np.array_equal(model.grads, other.grads)
    for _, p in other.named_parameters():
        assert np.shares_memory(p.grad, other.grads)
        assert np.shares_memory(p.value, model.weights)
    ours = [a for m in model.modules() for a in (*m._saved.values(), *m._scratch.values())]
    theirs = [a for m in other.modules() for a in (*m._saved.values(), *m._scratch.values())]
    assert not any(np.shares_memory(a, b) for a in ours for b in theirs)
    assert other.blocks[0].norm1._scratch is other.blocks[1].norm1._scratch


def test_assigning_never_loses_the_views():
    model = GPT(SMALL)
    model.weights = np.full_like(model.weights, 0.5)
    model.grads = np.zeros_like(model.grads)
    model.tokens.w.value = np.ones((11, 8))
    model.tokens.w.value *= 2
    for _, p in model.named_parameters():
        assert np.shares_memory(p.value, model.weights)
        assert np.shares_memory(p.grad, model.grads)
    assert (model.weights[:88] == 2).all()
    assert (model.weights[88:] == 0.5).all()
    fixed = model.weights.copy()
    fixed.flags.writeable = False
    for wrong in (fixed, model.weights[:-1], model.weights.astype(np.float64), [1.0]):
        with pytest.raises(ValueError, match=r"model\.weights\[:\] ="):
            model.weights = wrong
    with pytest.raises(ValueError, match=r"shape \(11, 8\)"):
        model.tokens.w.value = np.ones((8, 11))
