"""Optimizers and schedules against PyTorch's trajectories, the papers, and brute force."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from minillm import backend, ops
from minillm.data import DataLoader, TokenDataset
from minillm.models import BERT, GPT, BERTConfig, GPTConfig, Seq2Seq, Seq2SeqConfig
from minillm.training import (
    SGD,
    Adam,
    AdamW,
    Lion,
    Muon,
    RMSProp,
    Trainer,
    inverse_sqrt,
    linear,
    load_checkpoint,
    warmup_stable_decay,
)

from .optimizer_problem import Problem

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "optimizers.json").read_text())
MAKE = {
    "sgd": lambda p: SGD(p, 0.01, weight_decay=0.01),
    "momentum": lambda p: SGD(p, 0.01, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: SGD(p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda p: RMSProp(p, 0.01, alpha=0.95, weight_decay=0.01),
    "adam": lambda p: Adam(p, 0.01, betas=(0.9, 0.99), weight_decay=0.01),
    "adamw": lambda p: AdamW(p, 0.01, betas=(0.9, 0.95), weight_decay=0.1),
    "lion": lambda p: Lion(p, 0.01, betas=(0.9, 0.99), weight_decay=0.1),
    "muon": lambda p: Muon(p, 0.02, momentum=0.95, adam_lr=3e-4, weight_decay=0.1),
}
KINDS = [SGD, RMSProp, Adam, AdamW, Lion, Muon]


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("which", ["numpy", "numba"])
def test_fifty_steps_of_pytorch(name, which):
    """Every weight agrees after fifty steps; only the matrix decays."""
    problem = Problem()
    optimizer = MAKE[name](problem)
    with backend(which):
        for _ in range(50):
            problem.gradient()
            optimizer.step()
    for part, parameter in zip("wb", problem.parts.values(), strict=True):
        np.testing.assert_allclose(parameter.value, GOLDEN[name][part], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_falls_in_float32(kind):
    problem = Problem(np.float32)
    optimizer = kind(problem, lr=0.01)
    first = problem.gradient()
    for _ in range(200):
        optimizer.step()
        last = problem.gradient()
    assert last < 0.5 * first
    assert problem.weights.dtype == np.float32


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_orthogonalize(shape):
    """Singular values become about 1, and the singular vectors stay."""
    x = np.random.default_rng(1).normal(size=shape)
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    y = ops.optimizer_steps.orthogonalize(x)
    core = u.T @ y @ vt.T
    assert np.abs(core - np.diag(np.diag(core))).max() < 1e-10
    assert np.diag(core).min() > 0.6
    assert np.diag(core).max() < 1.3


SIZES = dict(vocab_size=11, context=8, layers=1, heads=2, width=8)


@pytest.mark.parametrize(("kind", "config", "inputs"), [
    (GPT, GPTConfig(**SIZES), 1), (GPT, GPTConfig(**SIZES, tied=False), 1),
    (BERT, BERTConfig(**SIZES), 1), (Seq2Seq, Seq2SeqConfig(**SIZES), 2)])
def test_muon_takes_the_matrices_of_the_blocks(kind, config, inputs):
    """Tables, the output, biases and gains go with AdamW, at their own rate; shared ones once."""
    model, other = (kind(config, dtype=np.float64) for _ in range(2))
    muon, adam = Muon(model, 0.1, adam_lr=0.01), AdamW(other, 0.01)
    ids = np.arange(8).reshape(1, 8)
    for m in (model, other):
        m.loss(*[ids] * inputs, ids)
        m.backward()
    muon.step(), adam.step()
    for (name, p), (_, q) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        same = np.allclose(p.value, q.value, rtol=0, atol=1e-14)
        hidden = not {"blocks", "encoder", "decoder"}.isdisjoint(name.split("."))
        assert same == (p.value.ndim < 2 or not hidden), name


@pytest.mark.parametrize("kind", KINDS)
def test_resuming_is_exact(kind, tmp_path):
    """Five steps in one go, or three, a file, and two more: the same bits."""
    data = TokenDataset(np.arange(300, dtype=np.int32) % 11, 11, 0)

    def trainer():
        model = GPT(GPTConfig(11, 8, 1, 2, 8))
        loader = DataLoader(data, batch_size=4, context=8, seed=3)
        return Trainer(model, kind(model, lr=0.01), loader, progress=False)

    whole, first, second = trainer(), trainer(), trainer()
    whole.fit(5)
    first.fit(3)
    first.save(tmp_path / "run.npz")
    second.resume(tmp_path / "run.npz")
    second.fit(5)
    np.testing.assert_array_equal(second.model.weights, whole.model.weights)
    assert set(load_checkpoint(tmp_path / "run.npz").memory) == set(kind.memory)


def test_smoothing_in_training_only():
    """The trainer's loss is the smoothed one, with one thread or two; evaluation is plain."""
    rows, losses = np.arange(32, dtype=np.int32).reshape(4, 8) % 11, []
    for workers in (1, 2):
        model = GPT(GPTConfig(11, 8, 1, 2, 8), dtype=np.float64)
        expected = model.loss(rows, rows, smoothing=0.1)
        assert expected != pytest.approx(model.loss(rows, rows), rel=1e-3)
        run = Trainer(model, SGD(model, 0.1), [(rows, rows)], smoothing=0.1, workers=workers,
                      progress=False)
        losses.append(run.train_step()["loss"])
        assert losses[-1] == pytest.approx(expected, rel=1e-12)


def test_resuming_with_another_optimizer_is_refused(tmp_path):
    data = TokenDataset(np.arange(300, dtype=np.int32) % 11, 11, 0)
    runs = []
    for kind in (Lion, AdamW):
        model = GPT(GPTConfig(11, 8, 1, 2, 8))
        runs.append(Trainer(model, kind(model, lr=0.01), DataLoader(data, 4, 8), progress=False))
    runs[0].save(tmp_path / "run.npz")
    with pytest.raises(ValueError, match="written with Lion, but this run has AdamW"):
        runs[1].resume(tmp_path / "run.npz")


def test_copies_are_whole():
    """A deep copy of problem and optimizer goes on alone."""
    problem = Problem()
    optimizer = Lion(problem, 0.01)
    problem.gradient()
    optimizer.step()
    other = copy.deepcopy((problem.weights, optimizer.m))
    problem.gradient()
    optimizer.step()
    assert not np.array_equal(other[0], problem.weights)
    assert not np.array_equal(other[1], optimizer.m)


@pytest.mark.parametrize(("make", "words"), [
    (lambda p: SGD(p, 0), "lr=0: expected a positive number"),
    (lambda p: SGD(p, 0.1, momentum=1), r"momentum=1: expected a number in \[0, 1\)"),
    (lambda p: SGD(p, 0.1, nesterov=True), "nesterov=True: expected False without momentum"),
    (lambda p: RMSProp(p, alpha=2), "alpha=2"),
    (lambda p: Adam(p, eps=0), "eps=0"),
    (lambda p: Lion(p, betas=(0.9,)), "betas"),
    (lambda p: Lion(p, weight_decay=-1), "weight_decay=-1"),
    (lambda p: Muon(p, momentum=True), "momentum=True"),
    (lambda p: Muon(p, adam_lr=0), "adam_lr=0"),
])
def test_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make(Problem())


def test_muon_needs_blocks():
    problem = Problem()
    problem.parts = {name.removeprefix("blocks.0."): p for name, p in problem.parts.items()}
    with pytest.raises(ValueError, match="no matrices in blocks"):
        Muon(problem)


def test_inverse_sqrt_is_the_paper_s():
    """Equation 3 of Vaswani et al. (2017), steps from 1."""
    C, warmup = 512, 4000
    rate = inverse_sqrt((C * warmup) ** -0.5, warmup)
    for step in (1, 17, 3999, 4000, 4001, 100_000):
        assert rate(step - 1) == pytest.approx(C**-0.5 * min(step**-0.5, step * warmup**-1.5))


def test_warmup_stable_decay():
    """Ten steps up, level, and a straight line down over the last twenty, ending at the floor."""
    rate = warmup_stable_decay(2.0, 10, 20, 100, floor=0.5)
    rates = np.array([rate(i) for i in range(100)])
    np.testing.assert_allclose(rates[:10], 2.0 * np.arange(1, 11) / 10)
    assert (rates[10:80] == 2.0).all()
    np.testing.assert_allclose(np.diff(rates[79:]), -1.5 / 20)
    assert rates[-1] == 0.5
    everything = warmup_stable_decay(2.0, 10, 89, 100)
    assert [everything(i) for i in range(100)] == pytest.approx(
        [linear(2.0, 10, 100)(i) for i in range(100)])


@pytest.mark.parametrize(("make", "words"), [
    (lambda: inverse_sqrt(0, 10), "peak=0"),
    (lambda: inverse_sqrt(1, 0), "warmup=0"),
    (lambda: warmup_stable_decay(1.0, 10, 0, 100), "decay=0: expected a number of steps from 1"),
    (lambda: warmup_stable_decay(1.0, 10, 91, 100), "from 1 to steps - warmup = 90"),
    (lambda: warmup_stable_decay(1.0, 100, 1, 100), "decay=1"),
])
def test_schedule_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()
