"""One model in many threads: generation gets what it gets alone, training is refused."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest

from minillm import backend
from minillm.generation import beam_search, generate, stream
from minillm.models import GPT, GPTConfig
from minillm.models import gpt as module
from minillm.training import evaluate

from ..interrupting import interrupted_everywhere

SMALL = GPTConfig(vocab_size=60, context=16, layers=2, heads=2, width=32)
BATCH = np.random.default_rng(3).integers(0, 60, (2, 4, 12))


@pytest.fixture
def model():
    model = GPT(SMALL, seed=1)
    model.weights *= 8
    return model


def jobs(model):
    """Twenty different computations that only read the weights."""
    every = []
    for i in range(4):
        prompt = [i, i + 1, i + 2]
        every += [
            lambda p=prompt, s=i: generate(model, p, 30, seed=s),
            lambda p=prompt, s=i: generate(model, [p, [9] * (s + 4)], 20, seed=s, cache=False),
            lambda p=prompt, s=i: list(stream(model, p, 30, temperature=0.7, top_k=5, seed=s)),
            lambda p=prompt: [ids for ids, _ in beam_search(model, p, 6, beams=3)],
            lambda s=i: evaluate(model, [(BATCH[0][s:], BATCH[1][s:])]),
        ]
    return every


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_twenty_at_once_get_what_they_get_alone(model, name):
    with backend(name):
        alone = [job() for job in jobs(model)]
        gate = threading.Barrier(20)

        def run(job):
            with backend(name):  # whether or not threads inherit the backend
                gate.wait(60)
                return job()

        with ThreadPoolExecutor(20) as pool:
            for _ in range(3):
                assert list(pool.map(run, jobs(model))) == alone


def test_interleaved_streams_in_one_thread(model):
    alone = [list(stream(model, [i], 25, seed=i)) for i in range(3)]
    together = [stream(model, [i], 25, seed=i) for i in range(3)]
    for expected in zip(*alone, strict=True):
        assert tuple(next(each) for each in together) == expected
        model.forward([[5, 6, 7]])


def gradient(model, between=lambda: None):
    model.grads[:] = 0
    model.loss(*BATCH)
    between()
    model.backward()
    return model.grads.copy()


def test_reading_between_loss_and_backward_changes_no_gradient(model):
    expected = gradient(model)
    for job in jobs(model)[:5]:
        assert np.array_equal(gradient(model, job), expected)


@pytest.mark.parametrize("what", [
    lambda m: m.forward(BATCH[0]),
    lambda m: m.extend([[3, 4]], m.new_cache(1)),
    lambda m: m.extend([[3]], m.new_cache(1)),
    lambda m: m.backward(),
])
def test_what_uses_the_same_memory_makes_backward_refuse(model, what):
    model.loss(*BATCH)
    what(model)
    before = model.grads.copy()
    with pytest.raises(RuntimeError, match="backward needs a loss just before it"):
        model.backward()
    assert np.array_equal(model.grads, before)


def test_backward_before_any_loss(model):
    with pytest.raises(RuntimeError, match="backward needs a loss"):
        model.backward()
    with pytest.raises(ValueError, match="targets holds 77"):
        model.loss([[1]], [[77]])
    with pytest.raises(RuntimeError, match="backward needs a loss"):
        model.backward()


def test_dlogits_can_be_looked_at_after_backward(model):
    model.loss(*BATCH)
    before = model.dlogits.copy()
    model.backward()
    assert np.array_equal(model.dlogits, before)
    model.forward(BATCH[0])
    assert model.dlogits is None


def test_changed_batches_change_no_gradient(model):
    """Between loss and backward a batch is the caller's again."""
    ids, targets = BATCH.copy()
    mask = np.ones(ids.shape, bool)
    expected = gradient(model)
    model.grads[:] = 0
    model.loss(ids, targets, mask=mask)
    ids[:], targets[:], mask[:] = 0, 0, False
    model.backward()
    np.testing.assert_allclose(model.grads, expected, atol=1e-6)


def in_thread(function, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments)


@pytest.mark.parametrize("method", ["forward", "loss", "extend"])
def test_two_threads_inside_one_model_are_refused(model, monkeypatch, method):
    """The second comes while the first is in the middle of its loss."""
    results, real = [], module.ops.cross_entropy

    def during(*arguments, **options):
        monkeypatch.setattr(module.ops, "cross_entropy", real)
        call = {"forward": lambda: model.forward(BATCH[0]), "loss": lambda: model.loss(*BATCH),
                "extend": lambda: model.extend([[1]], model.new_cache(1))}[method]
        results.append(in_thread(call))
        results.append(in_thread(generate, model, [1, 2], 3))
        results.append(in_thread(lambda: model.replica().loss(*BATCH)))
        return real(*arguments, **options)

    expected = gradient(model)
    alone = generate(model, [1, 2], 3)
    monkeypatch.setattr(module.ops, "cross_entropy", during)
    assert np.array_equal(gradient(model), expected)
    with pytest.raises(RuntimeError, match=r"another thread is using this model.*replica"):
        results[0].result()
    assert results[1].result() == alone
    assert results[2].result() == model.loss(*BATCH)


@pytest.mark.parametrize("method", ["forward", "loss"])
def test_an_interrupt_anywhere_leaves_the_model_free(model, method):
    """In the calling thread and in others, whichever of the two methods it came in."""
    def check(error):
        assert isinstance(error, KeyboardInterrupt)
        assert in_thread(model.loss, *BATCH).result() == loss

    loss = model.loss(*BATCH)
    batch = BATCH if method == "loss" else BATCH[:1]
    code = [getattr(GPT, method).__code__]
    assert interrupted_everywhere(lambda: getattr(model, method)(*batch), code, check) >= 5
    assert in_thread(model.loss, *BATCH).result() == loss


def in_child(work):
    """The exit code of a forked child that does ``work``: 0, or 1 for an exception."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("thread", ["the same", "another"])
def test_a_fork_within_a_method_leaves_the_child_free(model, monkeypatch, thread):
    """The child ends the method if its thread was inside, and is no more kept out by others'."""
    codes, real = [], module.ops.cross_entropy
    ends: list[int] = []

    def during(*arguments, **options):
        monkeypatch.setattr(module.ops, "cross_entropy", real)
        if thread == "another":
            go.set()
            assert gone.wait(60)
        else:
            ends.append(os.fork())
            if ends == [0]:
                model.forward(BATCH[0])  # one method within the other: the same logits once more
        return real(*arguments, **options)

    def use():
        with backend("numpy"):
            model.loss(*BATCH)
            in_thread(model.loss, *BATCH).result()

    go, gone = threading.Event(), threading.Event()
    with backend("numpy"):
        expected = model.loss(*BATCH)
        monkeypatch.setattr(module.ops, "cross_entropy", during)
        if thread == "another":
            with ThreadPoolExecutor(1) as pool:
                first = pool.submit(copy_context().run, model.loss, *BATCH)
                assert go.wait(60)
                codes.append(in_child(use))
                gone.set()
                assert first.result() == expected
        else:
            code = 1
            try:
                found = model.loss(*BATCH)
                use()
                code = int(found != expected)
            finally:
                if ends == [0]:
                    os._exit(code)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(ends[0], 0)[1]))
    assert codes == [0]


def test_attributes_may_be_added_while_a_model_is_looked_through(model):
    for look in (model.children, model.named_parameters):
        for i, _ in enumerate(look()):
            setattr(model, f"added_{look.__name__}_{i}", i)
        assert getattr(model, f"added_{look.__name__}_0") == 0


def test_the_backward_of_another_threads_loss_is_refused(model):
    model.loss(*BATCH)
    in_thread(model.loss, *BATCH).result()
    with pytest.raises(RuntimeError, match="computed by another thread"):
        model.backward()


def test_different_models_train_in_different_threads():
    def train(seed):
        model = GPT(SMALL, seed=seed)
        with backend("numpy"):
            return [gradient(model) for _ in range(5)][-1]

    with backend("numpy"), ThreadPoolExecutor(4) as pool:
        alone = [train(seed) for seed in range(4)]
        for mine, theirs in zip(alone, pool.map(train, range(4)), strict=True):
            assert np.array_equal(mine, theirs)
