"""Optimizer, schedules, trainer: against plain formulas, one large batch, and an unbroken run."""

import csv

import numpy as np
import pytest

from minillm.data import DataLoader, TokenDataset
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Trainer, Workers, constant, cosine, evaluate, linear

CONFIG = GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=16)


def loader(batch_size=4, seed=0):
    ids = np.random.default_rng(0).integers(0, 20, 400)
    return DataLoader(TokenDataset.from_ids(ids, vocab_size=20), batch_size, 8, seed=seed)


def trainer(tmp_path=None, **settings):
    model = GPT(CONFIG, seed=0)
    settings = {"progress": False} | settings
    return Trainer(model, AdamW(model, lr=1e-2), settings.pop("loader", loader()), **settings)


def test_adamw_is_the_textbooks():
    model = GPT(CONFIG, seed=0, dtype=np.float64)
    optimizer = AdamW(model, lr=0.01, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.3)
    rng = np.random.default_rng(0)
    w, m, v = model.weights.copy(), 0.0, 0.0
    decay = np.where(np.arange(w.size) < model.decayed, 0.3, 0.0)
    for t in range(1, 5):
        g = model.grads[:] = rng.normal(size=w.size)
        optimizer.step()
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        w = w * (1 - 0.01 * decay) - 0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-6)
        np.testing.assert_allclose(model.weights, w, rtol=1e-9)


def test_biases_and_gains_do_not_decay():
    model = GPT(CONFIG, seed=0)
    optimizer = AdamW(model, lr=0.1, weight_decay=0.5)
    before = {name: p.value.copy() for name, p in model.named_parameters()}
    optimizer.step()  # the gradient is zero: only decay acts
    for name, p in model.named_parameters():
        expected = before[name] * (0.95 if p.value.ndim == 2 else 1.0)
        np.testing.assert_allclose(p.value, expected, rtol=1e-6, err_msg=name)


def test_clipping():
    model = GPT(CONFIG)
    optimizer = AdamW(model)
    model.grads[:] = 0
    model.grads[:2] = 3, 4
    assert optimizer.clip(10) == pytest.approx(5)
    assert model.grads[:2].tolist() == [3, 4]
    assert optimizer.clip(1) == pytest.approx(5)
    np.testing.assert_allclose(model.grads[:2], [0.6, 0.8], rtol=1e-6)
    model.grads[5] = np.nan
    with pytest.raises(ValueError, match="gradient's length is nan"):
        optimizer.clip(1)


@pytest.mark.parametrize(("arguments", "message"), [
    (dict(lr=0), "lr=0"), (dict(betas=(0.9, 1.0)), "betas"),
    (dict(weight_decay=-1), "weight_decay"), (dict(eps=0), "eps=0"),
    (dict(lr="fast"), "lr='fast'"), (dict(lr=None), "lr=None"), (dict(betas=0.9), r"betas=0\.9"),
    (dict(betas=(0.9,)), "betas"), (dict(betas="ab"), "betas='ab'"), (dict(eps="a"), "eps='a'"),
    (dict(weight_decay="a"), "weight_decay='a'"), (dict(weight_decay=True), "weight_decay=True"),
])
def test_optimizer_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdamW(GPT(CONFIG), **arguments)


def test_schedules():
    for shape in (linear, cosine):
        rate = shape(1.0, warmup=10, steps=110, floor=0.1)
        rates = [rate(step) for step in range(130)]
        assert rates[0] == pytest.approx(0.1)
        assert rates[9] == rates[10] == 1.0
        assert rates[109] == pytest.approx(0.1)
        assert rates[129] == pytest.approx(0.1)
        assert rates[10:] == sorted(rates[10:], reverse=True)
    assert linear(1.0, 0, 101)(50) == pytest.approx(0.5)
    assert cosine(1.0, 0, 101)(50) == pytest.approx(0.5)
    assert cosine(1.0, 0, 101)(25) == pytest.approx(0.5 + 0.5 * np.cos(np.pi / 4))
    with pytest.raises(ValueError, match="warmup=5"):
        cosine(1.0, warmup=5, steps=5)


def test_warm_up_from_zero():
    """Step t of W warm-up steps has the rate t / W of the peak; what follows is the same."""
    for shape in (linear, cosine):
        plain, from_zero = (shape(2.0, 8, 50, 0.1, from_zero=zero) for zero in (False, True))
        assert [from_zero(step) for step in range(8)] == [2.0 * step / 8 for step in range(8)]
        assert [plain(step) for step in range(8)] == [2.0 * (step + 1) / 8 for step in range(8)]
        assert [from_zero(step) for step in range(8, 60)] == [plain(s) for s in range(8, 60)]
        assert shape(2.0, 0, 50, from_zero=True)(0) == 2.0
    run = trainer(schedule=linear(1e-2, 4, 10, from_zero=True))
    before = run.model.weights.copy()
    run.train_step()
    assert np.array_equal(run.model.weights, before)
    run.train_step()
    assert not np.array_equal(run.model.weights, before)


def test_evaluation_takes_lists_and_refuses_what_is_no_batch():
    model = GPT(CONFIG, seed=0)
    ids, targets = [[1, 2, 3]], [[2, 3, -100]]
    found = evaluate(model, [(ids, targets), [ids, targets]])
    assert found.labels == 4
    assert found.loss == pytest.approx(model.loss(ids, targets), rel=1e-6)
    with pytest.raises(ValueError, match=r"batch 0 has 1 parts.*\(ids, targets\)"):
        evaluate(model, [ids])
    with pytest.raises(TypeError, match="targets of batch 1 has dtype float64"):
        evaluate(model, [(ids, targets), (ids, [[1.0, 2.0, 3.0]])])


def test_accumulated_batches_are_one_large_batch():
    """Also when the batches have unequal numbers of labels."""
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, 20, (2, 6, 8))
    targets[0] = -100
    targets[3, 2:] = -100
    one = trainer()
    one.model.grads[:] = 0
    loss = one.model.loss(ids, targets)
    one.model.backward()

    parts = trainer(accumulate=3)
    parts._batches = iter([(ids[i:i + 2], targets[i:i + 2]) for i in (0, 2, 4)])
    part_loss, labels, _ = parts.gradient()
    assert labels == (targets != -100).sum()
    assert part_loss == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(parts.model.grads, one.model.grads, atol=1e-6)


def test_evaluation_is_the_mean_over_labels():
    model = GPT(CONFIG, seed=0)
    model.weights *= 10
    rng = np.random.default_rng(1)
    ids, targets = rng.integers(0, 20, (2, 3, 8))
    targets[1:, 1:] = -100
    whole = evaluate(model, [(ids, targets)])
    parts = evaluate(model, [(ids[:1], targets[:1]), (ids[1:], targets[1:])])
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)
    assert parts.accuracy == whole.accuracy
    assert parts.labels == whole.labels == 10
    logits = model.forward(ids)
    hits = (logits.argmax(-1) == targets)[targets != -100]
    assert whole.accuracy == hits.mean()
    assert whole.perplexity == pytest.approx(np.exp(whole.loss))
    assert whole.bits_per_byte(4.0) == pytest.approx(whole.loss / np.log(2) / 4)
    with pytest.raises(ValueError, match="no label"):
        evaluate(model, [])


def test_loss_falls_and_the_log_tells(tmp_path):
    log = tmp_path / "runs" / "log.csv"
    run = trainer(log=log, validation=lambda: [next(iter(loader(seed=9)))], evaluate_every=10)
    history = run.fit(30)
    assert history[-1]["loss"] < history[0]["loss"]
    with open(log, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 31))
    assert int(rows[-1]["tokens"]) == 30 * 4 * 8
    assert [bool(row["valid_loss"]) for row in rows] == [step % 10 == 0 for step in range(1, 31)]
    assert float(rows[4]["loss"]) == history[4]["loss"]


def test_resume_is_bit_for_bit(tmp_path):
    schedule = cosine(1e-2, 5, 40)
    whole = trainer(schedule=schedule, accumulate=2)
    whole.fit(40)

    path, log = tmp_path / "run.npz", tmp_path / "log.csv"
    first = trainer(schedule=schedule, accumulate=2, checkpoint=path, checkpoint_every=10, log=log)
    first.fit(17)
    for _ in range(3):  # steps after the checkpoint, which are lost
        first.train_step()
    second = trainer(schedule=schedule, accumulate=2, log=log)
    second.resume(path)
    assert second.step == 17
    second.fit(40)
    assert np.array_equal(second.model.weights, whole.model.weights)
    assert np.array_equal(second.optimizer.v, whole.optimizer.v)
    assert [r["loss"] for r in second.history] == [r["loss"] for r in whole.history[17:]]
    with open(log, newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 41))


def test_a_diverging_run_stops_with_a_reason():
    run = trainer()
    run.model.weights[0] = np.nan
    with pytest.raises(ValueError, match="gradient's length is nan"):
        run.fit(1)


def test_printed_lines(capsys):
    trainer(print_every=2).fit(5)
    lines = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["2", "4", "5"]


@pytest.mark.parametrize(("arguments", "message"), [
    (dict(accumulate=0), "accumulate=0"), (dict(clip=0), "clip=0"),
    *[({name: value}, f"{name}={value!r}")
      for name in ("accumulate", "workers", "evaluate_every", "checkpoint_every", "print_every")
      for value in (2.5, True, "2", None, -1)],
    (dict(clip="a"), "clip='a'"), (dict(schedule=0.1), "schedule=0.1"),
    (dict(validation=[]), "validation="),
])
def test_trainer_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        trainer(**arguments)


def test_an_empty_loader_is_an_error():
    class Empty:
        def __iter__(self):
            return iter(())

    with pytest.raises(ValueError, match="no batch"):
        trainer(loader=Empty()).fit(1)


def test_rates_and_steps_that_are_no_numbers_are_refused():
    for schedule in (cosine, linear):
        for wrong in ({"peak": "a"}, {"warmup": None}, {"steps": "9"}, {"floor": "0"}):
            with pytest.raises(ValueError, match=f"^{next(iter(wrong))}="):
                schedule(**{"peak": 1.0, "warmup": 1, "steps": 9} | wrong)
    with pytest.raises(ValueError, match="lr='a'"):
        constant("a")
    with pytest.raises(ValueError, match="steps='9'"):
        trainer().fit("9")
    with pytest.raises(ValueError, match="max_norm='a'"):
        AdamW(GPT(CONFIG)).clip("a")


X, Y = np.zeros((2, 3), int), np.ones((2, 3), int)
NO_BATCHES = [
    ((), "0 parts"), ((X,), "1 parts"), (np.zeros((1, 2, 3), int), "1 parts"),
    ((X, Y, Y, Y), "3 inputs"), ((X, Y[:1]), "2, 1.* rows"), ((X, 5), "part 1 5;"),
    ((X, None), "part 1"), ((X, [[1, 2, 3], [4]]), "part 1"), ((X, [["a"] * 3] * 2), "part 1"),
]


@pytest.mark.parametrize(("batch", "message"), NO_BATCHES, ids=[each[1] for each in NO_BATCHES])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_no_batch_is_refused(batch, message, workers):
    with pytest.raises((TypeError, ValueError), match=f"(?s)^batch.*{message}"):
        Workers(GPT(CONFIG), workers).add_gradient(*batch)
    with pytest.raises((TypeError, ValueError), match=f"(?s)batch.*{message}"):
        trainer(loader=[batch], workers=workers).fit(1)
    with pytest.raises((TypeError, ValueError), match=f"(?s)batch.*{message}"):
        evaluate(GPT(CONFIG), [batch])


@pytest.mark.parametrize("batch", [5, "ab", {"ids": X, "targets": Y}, iter((X, Y)), np.array(1)])
def test_loaders_of_something_else_are_refused(batch):
    with pytest.raises(TypeError, match=r"(?s)batch of the loader is .* expected a tuple"):
        trainer(loader=[batch]).fit(1)
    with pytest.raises(TypeError, match=r"(?s)batch 0 is .* expected a tuple"):
        evaluate(GPT(CONFIG), [batch])


def test_a_loss_of_other_parts_than_the_model_takes():
    for batch, message in (((), "no parts"), ((X,), "0 inputs"), ((X, X, X, Y), "3 inputs")):
        with pytest.raises(ValueError, match=message):
            GPT(CONFIG).loss(*batch)
    mask = np.ones((2, 3), bool)
    assert GPT(CONFIG).loss(X, mask, Y) == GPT(CONFIG).loss(X, Y)


def test_lists_add_the_gradient_of_arrays():
    for count in (1, 2):
        models = GPT(CONFIG), GPT(CONFIG)
        for model, batch in zip(models, ((X, Y), (X.tolist(), Y.tolist())), strict=True):
            Workers(model, count).add_gradient(*batch)
        assert np.array_equal(models[0].grads, models[1].grads)
