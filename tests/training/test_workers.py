"""Threads that share a batch, against one model that takes it whole."""

import copy
import pickle

import numpy as np
import pytest

from minillm import backend
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Trainer, Workers, cores

from .test_training import CONFIG, loader, trainer

WIDE = GPTConfig(vocab_size=20, context=8, layers=2, heads=2, width=16)


def batch(rows=5, ignored=0.4):
    rng = np.random.default_rng(1)
    ids, targets = rng.integers(0, 20, (2, rows, 8))
    targets[rng.random(targets.shape) < ignored] = -100
    return ids, targets


def whole(ids, targets, scale=1.0):
    model = GPT(WIDE, seed=3, dtype=np.float64)
    loss = model.loss(ids, targets)
    model.backward(scale)
    return loss, model.grads


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_parts_add_up(name, count):
    ids, targets = batch()
    targets[0, 1:] = -100  # the parts have unequal numbers of labels
    with backend(name):
        loss, grads = whole(ids, targets, 0.7)
        model = GPT(WIDE, seed=3, dtype=np.float64)
        workers = Workers(model, count)
        for repetition in (1, 2):  # gradients are added to what is there
            assert workers.add_gradient(ids, targets, scale=0.7) == pytest.approx(loss, rel=1e-12)
            np.testing.assert_allclose(model.grads, repetition * grads, rtol=1e-9, atol=1e-12)


def test_a_part_without_labels_counts_nothing():
    ids, targets = batch(4, ignored=0)
    targets[2:] = -100
    loss, grads = whole(ids, targets)
    model = GPT(WIDE, seed=3, dtype=np.float64)
    assert Workers(model, 2).add_gradient(ids, targets) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(model.grads, grads, rtol=1e-9, atol=1e-12)


def test_weights_are_shared_and_gradients_are_not():
    model = GPT(WIDE)
    other = Workers(model, 2).models[1]
    model.weights[:] = 5
    assert all((p.value == 5).all() for _, p in other.named_parameters())
    assert not np.shares_memory(other.grads, model.grads)


@pytest.mark.parametrize("make", [copy.deepcopy, lambda w: pickle.loads(pickle.dumps(w))])
def test_a_copy_has_weights_and_gradients_of_its_own(make):
    workers = Workers(GPT(WIDE, seed=3, dtype=np.float64), 3)
    other = make(workers)
    workers.models[0].weights[:] = 0
    loss, grads = whole(*batch())
    assert other.add_gradient(*batch()) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(other.models[0].grads, grads, rtol=1e-9, atol=1e-12)
    assert all(model.weights is other.models[0].weights for model in other.models)


def test_a_copied_trainer_goes_on_like_its_original():
    run = trainer(workers=2)
    other = copy.deepcopy(run)
    for each in (run, other):
        each.fit(6)
    assert [row["loss"] for row in run.history] == [row["loss"] for row in other.history]
    assert np.array_equal(run.model.weights, other.model.weights)


def test_weights_assigned_later_are_those_of_every_thread():
    workers = Workers(GPT(WIDE, seed=9, dtype=np.float64), 2)
    workers.models[0].weights = GPT(WIDE, seed=3, dtype=np.float64).weights
    loss, grads = whole(*batch())
    assert workers.add_gradient(*batch()) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(workers.models[0].grads, grads, rtol=1e-9, atol=1e-12)


def test_an_error_in_a_thread_reaches_the_caller():
    ids, targets = batch()
    ids[-1, 0] = 20
    with pytest.raises(ValueError, match="20"):
        Workers(GPT(WIDE), 2).add_gradient(ids, targets)


def test_training_is_the_same_and_repeats(tmp_path):
    alone, first, second = (trainer(workers=n, loader=loader()) for n in (1, 2, 2))
    for each in (alone, first, second):
        each.fit(12)
    assert [row["loss"] for row in first.history] == [row["loss"] for row in second.history]
    assert (first.model.weights == second.model.weights).all()
    assert first.history[-1]["loss"] == pytest.approx(alone.history[-1]["loss"], rel=1e-3)


def test_resume_is_exact(tmp_path):
    path = tmp_path / "run.npz"
    unbroken = trainer(workers=2)
    unbroken.fit(8)
    trainer(workers=2, checkpoint=path).fit(5)
    model = GPT(CONFIG, seed=9)
    again = Trainer(model, AdamW(model, lr=1e-2), loader(), workers=2, progress=False)
    again.resume(path)
    again.fit(8)
    assert (again.model.weights == unbroken.model.weights).all()


def test_number_of_workers():
    assert cores() >= 1
    with pytest.raises(ValueError, match="workers=0"):
        Workers(GPT(WIDE), 0)
