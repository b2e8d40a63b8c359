"""RNN, LSTM and CNN language models: gradients, order of time, the protocol, what is refused."""

import copy
import pickle

import numpy as np
import pytest

from minillm import backend
from minillm.data import DataLoader, TokenDataset
from minillm.generation import beam_search, generate
from minillm.models import CNN, KINDS, LSTM, RNN, CNNConfig, RecurrentConfig
from minillm.training import (
    AdamW,
    Muon,
    Trainer,
    Workers,
    evaluate,
    load_model,
    save_checkpoint,
)

from .gradients import check_gradients

SIZES = dict(vocab_size=13, context=8, layers=2, width=6)
MODELS = {
    "RNN": (RNN, RecurrentConfig, {}),
    "RNN, untied": (RNN, RecurrentConfig, dict(tied=False)),
    "LSTM": (LSTM, RecurrentConfig, {}),
    "LSTM with dropout": (LSTM, RecurrentConfig, dict(dropout=0.3, tied=False)),
    "CNN": (CNN, CNNConfig, {}),
    "CNN, no gaps": (CNN, CNNConfig, dict(kernel=2, dilation=1, dropout=0.2)),
    "CNN beyond its context": (CNN, CNNConfig, dict(kernel=4, dilation=5, tied=False)),
}
BACKENDS = ["numpy", "numba"]


def model_of(name, dtype=np.float64):
    kind, config, options = MODELS[name]
    model = kind(config(**SIZES, **options), dtype=dtype)
    model.weights[:] = np.random.default_rng(1).normal(0, 0.5, model.weights.size)
    return model


def batch():
    ids, targets = np.random.default_rng(0).integers(0, 13, (2, 3, 7))
    targets[0, 2] = -100
    return ids, targets


def seeded(model):
    return dict(seed=5, row=2) if model.drops else {}


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_every_parameter(name, which):
    with backend(which):
        model = model_of(name)
        check_gradients(model, lambda: model.loss(*batch(), **seeded(model)))


@pytest.mark.parametrize("name", MODELS)
def test_backends_agree(name):
    found = []
    for which in BACKENDS:
        with backend(which):
            model = model_of(name)
            loss = model.loss(*batch(), **seeded(model))
            model.backward()
            found.append((loss, model.grads.copy()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_no_position_sees_a_later_one(name):
    """And each is seen by the next, which the end of a gradient would hide."""
    model, (ids, _) = model_of(name), batch()
    before = model.forward(ids).copy()
    for place in range(7):
        changed = ids.copy()
        changed[:, place] = (changed[:, place] + 1) % 13
        after = model.forward(changed)
        assert np.array_equal(after[:, :place], before[:, :place])
        assert (after[:, place] != before[:, place]).any(axis=-1).all()
    np.testing.assert_allclose(model.forward(ids[:, :4]), before[:, :4], rtol=1e-12)


@pytest.mark.parametrize(("kernel", "dilation", "layers"), [(3, 1, 2), (2, 2, 3), (3, 2, 2),
                                                            (1, 2, 3)])
def test_receptive_field(kernel, dilation, layers):
    """A token is seen from as many positions as the config says, and from no more."""
    config = CNNConfig(vocab_size=5, context=20, layers=layers, width=4, kernel=kernel,
                       dilation=dilation)
    model = CNN(config, dtype=np.float64)
    ids = np.zeros((1, 20), int)
    before = model.forward(ids).copy()
    ids[0, 2] = 3
    sees = (model.forward(ids) != before).any(axis=-1)[0]
    assert sees.nonzero()[0].max() - 2 + 1 == config.receptive_field
    assert sees[2]


@pytest.mark.parametrize("name", MODELS)
def test_workers_give_what_one_gives(name):
    model = model_of(name)
    loss = Workers(model).add_gradient(*batch(), **seeded(model))
    alone = model.grads.copy()
    model.grads[:] = 0
    shared = Workers(model, 3).add_gradient(*batch(), **seeded(model))
    assert shared == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(model.grads, alone, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_checkpoints_and_sizes(name, tmp_path):
    model = model_of(name, np.float32)
    save_checkpoint(tmp_path / "m.npz", model)
    again = load_model(tmp_path / "m.npz")
    assert type(again) is type(model) is KINDS[name[:4].strip(" ,")]
    assert again.config == model.config
    assert np.array_equal(again.forward(batch()[0]), model.forward(batch()[0]))
    kind, config, options = MODELS[name]
    assert kind.size(model.config) == model.weights.size
    assert kind.size(config(**SIZES | dict(width=10**6), **options)) > 10**12


@pytest.mark.parametrize("name", MODELS)
def test_copies_and_replicas(name):
    model, (ids, _) = model_of(name), batch()
    expected = model.forward(ids).copy()
    for other in (model.replica(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other.forward(ids), expected)
        other.loss(*batch(), **seeded(model))
        other.backward()
    assert not model.grads.any()


@pytest.mark.parametrize("name", MODELS)
def test_gradients_accumulate(name):
    model = model_of(name)
    for scale in (1.0, 2.0):
        model.loss(*batch(), **seeded(model))
        model.backward(scale)
    twice = model.grads.copy()
    model.grads[:] = 0
    model.loss(*batch(), **seeded(model))
    model.backward()
    np.testing.assert_allclose(twice, 3 * model.grads, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_generation(name):
    """Greedy, by hand: also past the context, and beside a row of another length."""
    model = model_of(name)
    row, expected = [1, 2, 3], []
    for _ in range(4):
        expected.append(int(model.forward([row + expected])[0, -1].argmax()))
    assert generate(model, row, 4, temperature=0) == row + expected
    assert model.generate([[5], row], 4, temperature=0)[1] == row + expected
    assert len(model.generate(row, 12, seed=1)) == 15
    assert beam_search(model, row, 4, beams=1)[0][0] == row + expected


def copying(rng, rows=32, distance=3, V=8, T=16):
    """Each token is to be named three steps later."""
    ids = rng.integers(0, V, (rows, T))
    targets = np.full_like(ids, -100)
    targets[:, distance:] = ids[:, :-distance]
    return ids, targets


@pytest.mark.parametrize(("kind", "config", "layers"), [
    (RNN, RecurrentConfig, 1), (LSTM, RecurrentConfig, 1), (CNN, CNNConfig, 2)])
def test_copying_is_learned(kind, config, layers):
    model = kind(config(vocab_size=8, context=16, layers=layers, width=32))
    optimizer, rng = AdamW(model, lr=1e-2, weight_decay=0.01), np.random.default_rng(0)
    for _ in range(300):
        model.grads[:] = 0
        model.loss(*copying(rng))
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()
    result = evaluate(model, [copying(np.random.default_rng(9), 100)])
    assert result.accuracy > 0.99
    assert result.perplexity < 1.2


def test_what_lies_beyond_the_receptive_field_cannot_be_copied():
    model = CNN(CNNConfig(vocab_size=8, context=16, layers=1, width=32, kernel=3))
    optimizer, rng = AdamW(model, lr=1e-2), np.random.default_rng(0)
    for _ in range(100):
        model.grads[:] = 0
        model.loss(*copying(rng))
        model.backward()
        optimizer.step()
    assert evaluate(model, [copying(np.random.default_rng(9), 100)]).accuracy < 0.25


@pytest.mark.parametrize("name", ["LSTM with dropout", "CNN, no gaps"])
def test_training_resumes(name, tmp_path):
    def trainer():
        model = model_of(name, np.float32)
        ids = np.random.default_rng(0).integers(0, 13, 200)
        loader = DataLoader(TokenDataset.from_ids(ids, vocab_size=13), 4, 7, seed=1)
        return Trainer(model, AdamW(model, lr=1e-2), loader, progress=False, workers=2,
                       checkpoint=tmp_path / "run.npz")

    whole = trainer()
    whole.fit(6)
    trainer().fit(3)
    resumed = trainer()
    resumed.resume(tmp_path / "run.npz")
    resumed.fit(6)
    assert resumed.step == 6
    np.testing.assert_allclose(resumed.model.weights, whole.model.weights, rtol=1e-5, atol=1e-7)


def test_matrices_of_the_layers_are_for_muon():
    model = model_of("LSTM", np.float32)
    optimizer = Muon(model)
    model.loss(*batch())
    model.backward()
    optimizer.step()
    assert np.isfinite(model.weights).all()


def test_the_forget_gates_start_open():
    layer = LSTM(RecurrentConfig(**SIZES)).blocks[0]
    assert layer.b.value.sum(axis=1).tolist() == [0, 6, 0, 0]


@pytest.mark.parametrize(("config", "option", "message"), [
    (RecurrentConfig, dict(vocab_size=0), "vocab_size=0: expected a whole number of at least 1"),
    (RecurrentConfig, dict(layers=1.0), "layers=1.0"), (RecurrentConfig, dict(width=-1), "width"),
    (RecurrentConfig, dict(context=True), "context=True"), (RecurrentConfig, dict(tied=1), "tied"),
    (RecurrentConfig, dict(dropout=1), "dropout=1: expected a share"),
    (CNNConfig, dict(kernel=0), "kernel=0"), (CNNConfig, dict(dilation=0), "dilation=0"),
    (CNNConfig, dict(dilation=1.5), "dilation=1.5"),
])
def test_refused(config, option, message):
    with pytest.raises(ValueError, match=message):
        config(**SIZES | option)


@pytest.mark.parametrize("name", MODELS)
def test_bad_input(name):
    model = model_of(name)
    with pytest.raises(ValueError, match="9 positions, but the context holds 8"):
        model.forward(np.zeros((1, 9), int))
    with pytest.raises(ValueError, match=r"ids holds 13, outside \[0, 13\)"):
        model.forward([[1, 13]])
    with pytest.raises(ValueError, match="at least one token"):
        model.forward(np.zeros((1, 0), int))
    with pytest.raises(TypeError, match="float64"):
        model.forward([[0.5]])
    with pytest.raises(ValueError, match="targets holds 77"):
        model.loss([[1, 2]], [[3, 77]], **seeded(model))


def test_numpy_integers_become_plain():
    config = CNNConfig(*np.array([5, 4, 1, 2]), kernel=np.int32(2))
    assert [type(getattr(config, name)) for name in config.whole] == [int] * 6
