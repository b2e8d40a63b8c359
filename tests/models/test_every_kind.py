"""What every kind of model must do: gradients, copies, checkpoints, threads, training, resuming."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minillm import backend
from minillm.training import AdamW, Trainer, Workers, evaluate, load_model, save_checkpoint

from .gradients import check_gradients
from .kinds import KINDS

BACKENDS = ["numpy", "numba"]
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize("which", BACKENDS)
@every_kind
def test_gradients_of_every_parameter(kind, which):
    """Against finite differences, along a random direction of each."""
    with backend(which):
        model, batch = kind.make(), kind.batch()
        kind.loss(model, *batch)
        model.backward()
        largest = np.abs(model.grads).max()
        assert all(p.grad.any() for _, p in model.named_parameters())
        model.grads[:] = 0
        # A short way, on which few numbers pass a corner of ReLU.
        check_gradients(model, lambda: kind.loss(model, *batch), 1e-6, 1e-8 * largest)


@every_kind
def test_both_backends_agree(kind):
    pytest.importorskip("numba")
    found = []
    for which in BACKENDS:
        with backend(which):
            model = kind.make()
            kind.loss(model, *kind.batch())
            model.backward()
            found.append(model.grads.copy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-12)


@every_kind
def test_size_takes_no_memory(kind):
    assert kind.model.size(kind.config) == kind.make().weights.size


@pytest.mark.parametrize("make", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@every_kind
def test_a_copy_is_whole_and_independent(kind, make):
    model, batch = kind.make(), kind.batch()
    expected = kind.loss(model, *batch)
    model.backward()
    other = make(model)
    assert kind.loss(other, *batch) == expected
    assert other.weights.size == model.weights.size
    for (name, p), (_, q) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert np.shares_memory(q.value, other.weights), name
        assert np.shares_memory(q.grad, other.grads), name
        assert p.start == q.start
    other.weights[:] = 0
    assert kind.loss(model, *batch) == expected
    optimizers = [AdamW(m, lr=0.01) for m in (model, make(model))]
    for optimizer in optimizers:
        for _ in range(3):
            optimizer.model.grads[:] = 0
            kind.loss(optimizer.model, *batch)
            optimizer.model.backward()
            optimizer.step()
    assert np.array_equal(optimizers[0].model.weights, optimizers[1].model.weights)


@every_kind
def test_checkpoints_give_the_model_back(kind, tmp_path):
    model, inputs = kind.make(np.float32), kind.batch()[:-1]
    save_checkpoint(tmp_path / "m.npz", model)
    again = load_model(tmp_path / "m.npz")
    assert type(again) is kind.model
    assert again.config == model.config
    assert np.array_equal(again.forward(*inputs), model.forward(*inputs))


@pytest.mark.parametrize("count", [2, 3, 7])
@every_kind
def test_workers_add_the_gradient_of_the_whole(kind, count):
    model = kind.make()
    how = dict(seed=1, row=3) if model.drops else {}
    found = []
    for workers in (1, count):
        model.grads[:] = 0
        loss = Workers(model, workers).add_gradient(*kind.batch(), **how)
        found.append((loss, model.grads.copy()))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-12)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-8, atol=1e-12)


@every_kind
def test_evaluation_is_the_loss_without_dropout(kind):
    model, batch = kind.make(), kind.batch()
    found = evaluate(model, [batch, batch])
    plain = found.loss if model.drops else model.loss(*batch)
    assert found.loss == pytest.approx(plain, rel=1e-12)
    kept = batch[-1] != -100
    assert found.labels == 2 * kept.sum()
    right = (model.forward(*batch[:-1]).argmax(-1) == batch[-1])[kept].mean()
    assert found.accuracy == pytest.approx(right)


@every_kind
def test_many_threads_get_what_one_gets(kind):
    model, inputs = kind.make(np.float32), kind.batch()[:-1]
    parts = [[array[:n] for array in inputs] for n in (1, 2, 3, 5)] * 2
    alone = [model.forward(*part).copy() for part in parts]
    gate = threading.Barrier(8)

    def run(part):
        own = model.replica()
        gate.wait(60)
        return own.forward(*part).copy()

    with ThreadPoolExecutor(8) as pool:
        for found, expected in zip(pool.map(run, parts), alone, strict=True):
            assert np.array_equal(found, expected)


class Loader:
    """The rows of a batch, some at a time, in an order that the epoch decides."""

    def __init__(self, batch):
        self.arrays, self.epoch, self.at = batch, 0, 0

    def __iter__(self):
        order = np.random.default_rng(self.epoch).permutation(len(self.arrays[0]))
        while self.at < 2:
            rows = order[2 * self.at:2 * self.at + 2]
            self.at += 1
            yield tuple(array[rows] for array in self.arrays)
        self.epoch, self.at = self.epoch + 1, 0

    def state(self):
        return {"epoch": self.epoch, "at": self.at}

    def resume(self, state):
        self.epoch, self.at = state["epoch"], state["at"]


@every_kind
def test_training_goes_on_where_it_stopped(kind, tmp_path):
    def trainer():
        model = kind.make(np.float32)
        return Trainer(model, AdamW(model, lr=1e-3), Loader(kind.batch()), seed=9, smoothing=0.1,
                       progress=False)

    whole, first, second = trainer(), trainer(), trainer()
    whole.fit(6)
    first.fit(3)
    first.save(tmp_path / "run.npz")
    second.resume(tmp_path / "run.npz")
    second.fit(6)
    assert np.array_equal(second.model.weights, whole.model.weights)
    assert not np.array_equal(whole.model.weights, kind.make(np.float32).weights)


@every_kind
def test_what_a_model_drops_is_decided_by_the_seed(kind):
    model, batch = kind.make(), kind.batch()
    if not model.drops:
        assert model.loss(*batch, seed=1) == model.loss(*batch)
        return
    with pytest.raises(ValueError, match="seed=None, but this model has dropout"):
        model.loss(*batch)
    losses = [model.loss(*batch, seed=seed) for seed in (1, 2, 1)]
    assert losses[0] == losses[2] != losses[1]
    plain = kind.make()
    plain.loss(*batch, seed=1)
    assert np.array_equal(model.forward(*batch[:-1]), plain.forward(*batch[:-1]))


@every_kind
def test_inputs_changed_after_the_loss_change_no_gradient(kind):
    model, batch = kind.make(), kind.batch()
    kind.loss(model, *batch)
    model.backward()
    expected = model.grads.copy()
    model.grads[:] = 0
    kind.loss(model, *batch)
    for array in batch:
        array[...] = 0
    model.backward()
    assert np.array_equal(model.grads, expected)
