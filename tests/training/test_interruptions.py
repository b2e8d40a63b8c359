"""A step is whole or not taken: what exceptions, Ctrl-C and reused arrays must not change."""

import csv
import itertools
import signal

import numpy as np
import pytest

from minillm.data import DataLoader, TokenDataset
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Trainer, save_checkpoint
from minillm.training import trainer as module
from minillm.training.batches import Batches, uninterrupted

from ..interrupting import interrupted_everywhere
from .test_training import CONFIG, loader, trainer

DATA = TokenDataset.from_ids(np.random.default_rng(0).integers(0, 20, 400), vocab_size=20)


class Flaky(DataLoader):
    """Raises on the way to some of its batches."""

    def __init__(self, *arguments, fails=(), error=OSError, **options):
        super().__init__(*arguments, **options)
        self.calls, self.fails, self.error = itertools.count(), fails, error

    def fill(self, rows):
        if next(self.calls) in self.fails:
            raise self.error("the drive is away")
        return super().fill(rows)


def fit(run, steps):
    """Train as somebody would who starts again after each exception; returns how many came."""
    count = 0
    while run.step < steps:
        try:
            run.fit(steps)
        except (OSError, KeyboardInterrupt):
            count += 1
    return count


def same(one, other):
    assert [row["loss"] for row in one.history] == [row["loss"] for row in other.history]
    assert one.tokens == other.tokens
    assert np.array_equal(one.model.weights, other.model.weights)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("reuse", [False, True])
def test_an_exception_in_the_loader_loses_nothing(accumulate, error, reuse):
    whole = trainer(accumulate=accumulate)
    whole.fit(20)
    flaky = Flaky(DATA, 4, 8, fails=(0, 1, 7, 11, 12, 13, 25), error=error, reuse=reuse)
    broken = trainer(loader=flaky, accumulate=accumulate)
    assert fit(broken, 20) >= 6
    same(broken, whole)


class Plain:
    """Passes on the batches of a loader from a generator, which an exception ends for good."""

    def __init__(self, loader, fails):
        self.loader, self.state, self.resume = loader, loader.state, loader.resume
        self.calls, self.fails = itertools.count(), fails

    def __iter__(self):
        for batch in self.loader:
            if next(self.calls) in self.fails:
                raise OSError("after the loader has gone on")
            yield batch


@pytest.mark.parametrize("accumulate", [1, 2])
def test_an_exception_around_the_loader_loses_nothing(accumulate):
    whole = trainer(accumulate=accumulate)
    whole.fit(20)
    broken = trainer(loader=Plain(loader(), (0, 3, 4, 12, 19)), accumulate=accumulate)
    assert fit(broken, 20) == 5
    same(broken, whole)


@pytest.mark.parametrize("place", ["loss", "backward", "clip", "step", "evaluate"])
def test_an_exception_in_a_step_loses_nothing(place, monkeypatch, tmp_path):
    """Also when Ctrl-C comes while the weights are being changed: that step is finished first."""
    settings = dict(accumulate=2, evaluate_every=1, validation=lambda: [next(iter(loader(2, 9)))])
    whole = trainer(**settings)
    whole.fit(12)
    broken = trainer(**settings, log=tmp_path / "log.csv")
    where = {"loss": broken.model, "backward": broken.model, "clip": broken.optimizer,
             "step": broken.optimizer, "evaluate": module}[place]
    real, calls = getattr(where, place), itertools.count()

    def fails(*arguments, **options):
        number = next(calls)
        if number in (2, 3, 7):
            if place == "step":
                signal.raise_signal(signal.SIGINT)
            else:
                raise OSError(number)
        return real(*arguments, **options)

    monkeypatch.setattr(where, place, fails)
    assert fit(broken, 12) == 3
    same(broken, whole)
    with open(tmp_path / "log.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 13))


@pytest.mark.parametrize("fails", [(), (9,), (10,)])
def test_a_checkpoint_saved_after_an_exception_goes_on_exactly(tmp_path, fails):
    """Its place in the data is before the batches of the step that was not taken."""
    whole = trainer(accumulate=3)
    whole.fit(8)
    broken = trainer(loader=Flaky(DATA, 4, 8, fails=fails), accumulate=3)
    if fails:
        with pytest.raises(OSError, match="drive"):
            broken.fit(4)
    else:
        broken.fit(3)
    broken.save(tmp_path / "run.npz")
    resumed = trainer(accumulate=3)
    resumed.resume(tmp_path / "run.npz")
    assert resumed.step == 3
    resumed.fit(8)
    assert np.array_equal(resumed.model.weights, whole.model.weights)
    assert resumed.tokens == whole.tokens


@pytest.mark.parametrize("steps", [11, 12, 13, 24])
def test_resuming_at_the_end_of_an_epoch(tmp_path, steps):
    assert len(loader()) == 12
    whole = trainer()
    whole.fit(30)
    trainer(checkpoint=tmp_path / "run.npz").fit(steps)
    resumed = trainer()
    resumed.resume(tmp_path / "run.npz")
    resumed.fit(30)
    assert np.array_equal(resumed.model.weights, whole.model.weights)


@pytest.mark.parametrize("taken", [0, 1, 11])
def test_an_interrupt_anywhere_loses_no_batch(taken):
    """Not where the batch is drawn, nor where it is put by; the eleventh is the epoch's last."""
    batches, expected = Batches(loader()), list(itertools.islice(loader().forever(), 13))
    for _ in range(taken):
        next(batches)
    batches.done()
    state = batches.state()

    def take():
        batches.again()
        return [next(batches), next(batches)]

    def check(error):
        assert isinstance(error, KeyboardInterrupt)
        assert batches.state() == state
        for found, wanted in zip(take(), expected[taken:], strict=False):
            assert np.array_equal(found, wanted)
        batches.__init__(loader())
        batches.loader.resume(state)

    code = [Batches.__next__.__code__, Batches._draw.__code__]
    assert interrupted_everywhere(take, code, check) > 10


def test_batches_left_over_from_a_longer_step_are_the_next():
    batches, expected = Batches(loader()), list(itertools.islice(loader(), 4))
    for _ in range(3):
        next(batches)
    batches.again()
    next(batches)
    batches.done()
    assert batches.state() == loader_at(1).state()
    for wanted in expected[1:]:
        assert np.array_equal(next(batches), wanted)


def loader_at(batch):
    each = loader()
    for _ in itertools.islice(each, batch):
        pass
    return each


def test_reused_arrays_accumulate_like_fresh_ones():
    gradients = []
    for reuse in (False, True):
        run = trainer(loader=loader_with(reuse), accumulate=4)
        loss, labels, _ = run.gradient()
        gradients.append(run.model.grads.copy())
    assert np.array_equal(*gradients)
    model, total = GPT(CONFIG, seed=0), 0.0
    for x, y in itertools.islice(loader_with(True), 4):
        total += model.loss(x, y) / 4
        model.backward(0.25)
    assert loss == pytest.approx(total, rel=1e-6)
    assert labels == 4 * 32
    np.testing.assert_allclose(gradients[1], model.grads, atol=1e-6)


def loader_with(reuse):
    return DataLoader(DATA, 4, 8, reuse=reuse)


def test_lists_are_batches_too():
    class Lists:
        def __iter__(self):
            return iter([([[1, 2, 3]], [[2, 3, -100]])])

    loss, labels, _ = trainer(loader=Lists(), workers=2, accumulate=2).gradient()
    assert labels == 4
    assert loss == pytest.approx(GPT(CONFIG, seed=0).loss([[1, 2, 3]], [[2, 3, -100]]), rel=1e-6)


def test_the_optimizer_of_another_model_is_refused():
    model = GPT(CONFIG)
    with pytest.raises(ValueError, match="another model"):
        Trainer(model, AdamW(GPT(CONFIG)), loader())


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []

    def block():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("after")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["after"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_refused_resume_changes_nothing(tmp_path):
    """Another loader's checkpoint, or one whose step is no number, leaves the run as it was."""
    config = GPTConfig(11, 8, 1, 2, 8)
    data = TokenDataset.from_ids(np.arange(600) % 11, 11)

    def made(batch_size):
        model = GPT(config)
        return Trainer(model, AdamW(model), DataLoader(data, batch_size, 8), progress=False)

    other = made(4)
    other.fit(3)
    other.save(tmp_path / "other")
    run = made(2)
    run.fit(2)
    before = run.model.weights.copy(), run.optimizer.m.copy(), run.step, len(run.history)
    state = {"step": "7", "tokens": 1, "seconds": 0.0, "loader": run.loader.state()}
    save_checkpoint(tmp_path / "broken", run.model, run.optimizer, state)
    for name, why in (("other", "belongs to another loader"), ("broken", "step is '7'")):
        with pytest.raises(ValueError, match=why):
            run.resume(tmp_path / name)
        np.testing.assert_array_equal(run.model.weights, before[0])
        np.testing.assert_array_equal(run.optimizer.m, before[1])
        assert (run.step, len(run.history)) == before[2:]
    other.fit(5)
    other.resume(tmp_path / "other")
    other.fit(4)
    assert [row["step"] for row in other.history] == [1, 2, 3, 4]
    with pytest.raises(TypeError, match="needs a loader that can say where"):
        Trainer(run.model, run.optimizer, [], checkpoint=tmp_path / "c")
