"""Dropout in training: where it drops, the same again from the same seed, else nothing."""

import copy
import pickle

import numpy as np
import pytest

from minillm import backend
from minillm.data import DataLoader, TokenDataset
from minillm.models import GPT, GPTConfig
from minillm.nn import Attention, Block, CrossBlock, Dropout, Drops, FeedForward, LayerNorm
from minillm.nn.parameters import Init
from minillm.training import AdamW, Trainer, Workers, evaluate

CONFIG = GPTConfig(13, 8, 2, 4, 16, dropout=0.3)


def model_of(config=CONFIG, dtype=np.float64):
    model = GPT(config, dtype=dtype)
    model.weights[:] = np.random.default_rng(1).normal(0, 0.4, model.weights.size)
    return model


def batch(rows=5):
    ids, targets = np.random.default_rng(0).integers(0, 13, (2, rows, 7))
    targets[0, 2] = targets[-1, 3:] = -100
    return ids, targets


def gradient(model, *arrays, workers=1, **options):
    model.grads[:] = 0
    loss = Workers(model, workers).add_gradient(*arrays, **options)
    return loss, model.grads.copy()


def test_the_seed_decides():
    model, other = model_of(), model_of()
    losses = [model.loss(*batch(), seed=seed) for seed in (1, 2, 1, (1, 2), (1, 3))]
    assert losses[0] == losses[2] == other.loss(*batch(), seed=1)
    assert len(set(losses)) == 4
    assert model.loss(*batch(), seed=1, row=1) != losses[0]


def test_both_backends_drop_the_same():
    pytest.importorskip("numba")
    losses = []
    for which in ("numpy", "numba"):
        with backend(which):
            losses.append(model_of().loss(*batch(), seed=3))
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_every_place_draws(monkeypatch):
    """The embeddings, and in each block attention's weights and what its two parts add."""
    drawn = []

    def draw(self, rate):
        drawn.append(rate)

    monkeypatch.setattr(Drops, "draw", draw)
    model_of().loss(*batch(), seed=1)
    assert drawn == [0.3] * (1 + 2 * 3)


def test_looking_at_a_memory_draws_too(monkeypatch):
    drawn = []
    monkeypatch.setattr(Drops, "draw", lambda self, rate: drawn.append(rate))
    init, x = Init(), np.ones((1, 3, 8), np.float32)
    block = CrossBlock(lambda: LayerNorm(8, init), Attention(8, 2, init, dropout=0.1),
                       Attention(8, 2, init, causal=False, cross=True, dropout=0.2),
                       FeedForward(8, 16, init), dropout=0.3)
    block(x, memory=x, drops=Drops(1))
    assert drawn == [0.1, 0.3, 0.2, 0.3, 0.3]


def test_what_a_block_adds_is_dropped():
    class Ones:
        def __call__(self, x, *args, drops=None):
            return np.ones_like(x)

    def block(dropout):
        return Block(lambda: LayerNorm(4, Init()), Ones(), Ones(), dropout=dropout)

    x = np.zeros((2, 300, 4), np.float32)
    assert (block(0.0).forward(x, drops=Drops(1)) == 2).all()
    assert (block(0.5).forward(x) == 2).all()
    found, counts = np.unique(block(0.5).forward(x, drops=Drops(1)), return_counts=True)
    assert found.tolist() == [0, 2, 4]
    np.testing.assert_allclose(counts / x.size, [0.25, 0.5, 0.25], atol=0.05)


def test_nothing_is_dropped_outside_of_training():
    model, plain = model_of(), model_of(GPTConfig(13, 8, 2, 4, 16))
    ids, targets = batch()
    model.loss(ids, targets, seed=1)
    assert np.array_equal(model.forward(ids), plain.forward(ids))
    assert evaluate(model, [(ids, targets)]) == evaluate(plain, [(ids, targets)])
    assert model.generate([1, 2], 9) == plain.generate([1, 2], 9)
    assert plain.loss(ids, targets, seed=1) == plain.loss(ids, targets)
    assert model.loss(ids, targets, seed=1) != plain.loss(ids, targets)


def test_a_loss_wants_a_seed():
    model = model_of()
    with pytest.raises(ValueError, match="seed=None, but this model has dropout"):
        model.loss(*batch())
    with pytest.raises(ValueError, match="seed=None, but this model has dropout"):
        Workers(model, 2).add_gradient(*batch())


@pytest.mark.parametrize(("seed", "row", "message"), [
    (-1, 0, "seed=-1"), (1.5, 0, "seed=1.5"), (True, 0, "seed=True"), ("7", 0, "seed='7'"),
    ((1, -2), 0, "seed="), ((), 0, "seed="), (1, -1, "row=-1"), (1, 0.5, "row=0.5"),
])
def test_refused(seed, row, message):
    with pytest.raises(ValueError, match=message):
        Drops(seed, row)
    with pytest.raises(ValueError, match=r"dropout=1\.0"):
        Dropout(1.0)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_parts_of_a_batch_drop_what_the_whole_drops(count):
    model = model_of()
    loss, whole = gradient(model, *batch(), seed=1, row=3)
    again, parts = gradient(model, *batch(), seed=1, row=3, workers=count)
    assert again == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-13)


def test_copies_drop_the_same():
    model = model_of()
    loss, whole = gradient(model, *batch(), seed=1)
    for other in (model.replica(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert gradient(other, *batch(), seed=1)[0] == loss
        assert np.array_equal(other.grads, whole)


def trainer(seed=0, workers=1, accumulate=1, batch_size=4):
    ids = np.random.default_rng(5).integers(0, 13, 500)
    model = model_of(dtype=np.float32)
    loader = DataLoader(TokenDataset.from_ids(ids, vocab_size=13), batch_size, 8, seed=2)
    return Trainer(model, AdamW(model, lr=1e-2), loader, seed=seed, workers=workers,
                   accumulate=accumulate, progress=False)


def test_resuming_drops_what_would_have_been_dropped(tmp_path):
    whole, first, second = trainer(seed=9), trainer(seed=9), trainer(seed=1)
    whole.fit(4)
    whole.fit(6)
    first.fit(4)
    first.save(tmp_path / "run.npz")
    second.resume(tmp_path / "run.npz")
    second.fit(6)
    assert np.array_equal(second.model.weights, whole.model.weights)
    assert not np.array_equal(trained(trainer(seed=1)), trained(trainer(seed=9)))


def trained(one):
    one.fit(2)
    return one.model.weights


def test_steps_differ_in_what_they_drop():
    one = trainer()
    one.optimizer.step = lambda: None  # the weights stay
    one.loader = None
    one._batches.drawn = [(None, batch())] * 3
    losses = [one.train_step()["loss"] for _ in range(3)]
    assert len(set(losses)) == 3


def test_small_batches_drop_what_a_large_one_would():
    found = []
    for how in (dict(batch_size=4), dict(batch_size=2, accumulate=2), dict(workers=2)):
        one = trainer(**how)
        one.gradient()
        found.append(one.model.grads)
    for gradients in found[1:]:
        np.testing.assert_allclose(gradients, found[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", [-1, 0.5, True, None])
def test_a_trainer_wants_a_seed(seed):
    with pytest.raises(ValueError, match="seed="):
        trainer(seed=seed)
