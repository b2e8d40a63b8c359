"""The pool: results, errors, contexts, forks, and many threads that ask at once."""

from __future__ import annotations

import contextvars
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from minillm import blas, threads
from minillm.backends import active_backend, backend
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Workers

from .ops.test_twins import CASES


@pytest.fixture
def three_threads(monkeypatch):
    """A pool of three threads, whatever the machine has."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    monkeypatch.setattr(threads, "_pool", threads.Pool())


def in_threads(count, task):
    """[task(0), …] in threads that start together; an error of one is raised here."""
    together, found, errors = threading.Barrier(count), [None] * count, []

    def work(i):
        together.wait()
        try:
            found[i] = task(i)
        except BaseException as error:
            errors.append(error)

    started = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if errors:
        raise errors[0]
    return found


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("parts", [0, 1, 2, 7, 100])
def test_results_are_in_order(parts):
    assert threads.run(lambda p: p * p, parts) == [p * p for p in range(parts)]


@pytest.mark.usefixtures("three_threads")
def test_parts_run_at_once():
    together = threading.Barrier(3, timeout=60)
    assert sorted(threads.run(lambda _: together.wait(), 3)) == [0, 1, 2]


@pytest.mark.usefixtures("three_threads")
def test_a_part_that_asks_works_alone():
    def part(p):
        assert threads.inside()
        assert threads.parts(16, 1 << 30, 1) == 1
        return threads.run(lambda q: (p, q, threading.get_ident()), 3)

    for p, found in enumerate(threads.run(part, 4)):
        assert [pair[:2] for pair in found] == [(p, q) for q in range(3)]
        assert len({thread for *_, thread in found}) == 1
    assert not threads.inside()
    assert threads.parts(16, 100, 10) == 10


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("bad", [0, 1, 5])
def test_an_error_reaches_who_asked_after_the_others_have_finished(bad):
    running, most = [], []

    def part(p):
        running.append(p)
        most.append(len(running))
        try:
            if p == bad:
                raise KeyError(p)
        finally:
            running.remove(p)

    for _ in range(50):
        with pytest.raises(KeyError, match=str(bad)):
            threads.run(part, 6)
        assert running == []
    assert threads.run(lambda p: p, 6) == list(range(6))  # the pool lives on


@pytest.mark.usefixtures("three_threads")
def test_an_interrupt_waits_for_parts_that_have_begun():
    begun, go_on, ended = threading.Event(), threading.Event(), []

    def part(p):
        if threading.current_thread() is threading.main_thread():
            begun.wait(60)
            go_on.set()
            raise KeyboardInterrupt
        begun.set()
        go_on.wait(60)
        ended.append(p)

    with pytest.raises(KeyboardInterrupt):
        threads.run(part, 2)
    assert len(ended) == 1


def in_main():
    return threading.current_thread() is threading.main_thread()


def ask_and_be_interrupted(monkeypatch, close):
    """Run two parts; the interrupt comes when another thread has begun one.

    Returns those that others have begun, and those that they have ended.
    """
    begun, go_on = threading.Event(), threading.Event()
    started, ended = [], []
    ask, real = threads._pool.ask, threads.Job.close

    def asked(job, helpers):
        ask(job, 1)
        begun.wait(60)
        raise KeyboardInterrupt

    def part(p):
        if not in_main():
            started.append(p)
            begun.set()
            go_on.wait(60)
            ended.append(p)

    def closed(job):
        go_on.set()
        close(job, real)

    monkeypatch.setattr(threads._pool, "ask", asked)
    monkeypatch.setattr(threads.Job, "close", closed)
    try:
        with pytest.raises(KeyboardInterrupt):
            threads.run(part, 2)
        return sorted(started), sorted(ended)
    finally:
        go_on.set()


@pytest.mark.usefixtures("three_threads")
def test_an_interrupt_while_others_are_asked_waits_for_them(monkeypatch):
    started, ended = ask_and_be_interrupted(monkeypatch, lambda job, close: close(job))
    assert started == ended != []


@pytest.mark.usefixtures("three_threads")
def test_an_interrupt_just_before_the_others_are_waited_for(monkeypatch):
    calls = []

    def close(job, real):
        calls.append(job)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(job)

    started, ended = ask_and_be_interrupted(monkeypatch, close)
    assert started == ended != []


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("when", ["before", "after"])
def test_interrupts_while_waiting_for_the_others(monkeypatch, when):
    """Three before the wait has begun, or one just as it has ended."""
    begun, go_on, ended, calls = threading.Event(), threading.Event(), [], []

    class Interrupted:
        def __init__(self, lock):
            self.lock, self.release = lock, lock.release

        def acquire(self):
            calls.append(when)
            if when == "before" and len(calls) <= 3:
                signal.raise_signal(signal.SIGINT)
            go_on.set()
            assert self.lock.acquire(timeout=60), "nobody lets go of the lock"
            signal.raise_signal(signal.SIGINT)

    def part(p):
        if in_main():
            begun.wait(60)
        else:
            begun.set()
            go_on.wait(60)
            ended.append(p)

    real = threads.Job.__init__

    def init(self, *arguments):
        real(self, *arguments)
        self.left = Interrupted(self.left)

    monkeypatch.setattr(threads.Job, "__init__", init)
    try:
        with pytest.raises(KeyboardInterrupt):
            threads.run(part, 2)
        assert len(ended) == 1
    finally:
        go_on.set()


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt])
def test_an_error_leaves_memory_at_once(kind):
    class Oops(kind):
        pass

    def part(p):
        raise Oops

    def attempt():
        try:
            threads.run(part, 4)
        except Oops as error:
            return weakref.ref(error)

    gc.disable()
    try:
        found = [attempt() for _ in range(20)]
        assert [ref() for ref in found] == [None] * 20
    finally:
        gc.enable()


@pytest.mark.usefixtures("three_threads")
def test_parts_run_in_the_context_of_who_asked():
    variable = contextvars.ContextVar("variable", default="nobody")
    together = threading.Barrier(3, timeout=60)

    def part(p):
        together.wait()  # each in another thread
        seen = variable.get()
        variable.set(p)
        return seen, active_backend()

    variable.set("me")
    with backend("numpy"):
        assert threads.run(part, 3) == [("me", "numpy")] * 3
    assert variable.get() == "me"


@pytest.mark.usefixtures("three_threads")
def test_many_threads_may_ask_at_once():
    def ask(i):
        return [threads.run(lambda p, r=r: (i, r, p), 5) for r in range(200)]

    for i, found in enumerate(in_threads(8, ask)):
        assert found == [[(i, r, p) for p in range(5)] for r in range(200)]


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_twin_in_two_threads_at_once(name):
    """Each thread gets what one thread alone gets, bit for bit."""
    pytest.importorskip("numba")
    alone = CASES[name]("numba", np.float32, "contiguous", False)
    for found in in_threads(2, lambda i: [CASES[name]("numba", np.float32, "contiguous", False)
                                          for _ in range(5)]):
        for results in found:
            for a, b in zip(results, alone, strict=True):
                np.testing.assert_array_equal(a, b)


STEP = """
import hashlib
import numpy as np
from minillm import blas, threads
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Workers

model = GPT(GPTConfig(vocab_size=301, context=64, layers=2, heads=3, width=192), seed=0)
optimizer = AdamW(model)
ids = np.random.default_rng(0).integers(0, 301, (12, 64))
losses = [model.loss(ids, ids)]
model.backward()
losses.append(Workers(model, 2).add_gradient(ids, ids))
optimizer.clip(1.0)
optimizer.step()
text = model.generate([1, 2], 20, temperature=0)
print(hashlib.sha256(model.weights.tobytes()).hexdigest(), losses, text)
"""


def test_results_do_not_depend_on_the_number_of_threads():
    found = {}
    for count in ("1", "2", "3"):
        run = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True,
                             env=os.environ | {"NUMBA_NUM_THREADS": count})
        assert run.returncode == 0, run.stderr
        found[count] = run.stdout
    assert found["1"] == found["2"] == found["3"]


def train(model, ids):
    optimizer = AdamW(model)
    loss = Workers(model, 2).add_gradient(ids, ids)
    optimizer.clip(1.0)
    optimizer.step()
    return loss, model.generate([1], 5, temperature=0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_works():
    """The parent's threads do not exist in the child, which makes its own."""
    ids = np.random.default_rng(0).integers(0, 50, (8, 64))
    config = GPTConfig(vocab_size=50, context=64, layers=2, heads=2, width=128)
    model = GPT(config)
    expected = train(model, ids)
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=lambda: send.send(train(GPT(config), ids)))
    child.start()
    try:
        assert receive.poll(120), "the child hangs"
        assert receive.recv() == expected
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
    assert train(GPT(config), ids) == expected  # and the parent as well


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_works():
    """Locks held at that moment, and BLAS held to one thread, are not so in the child for good."""
    def look(send):
        send.send((blas.one_thread().holders, [library.get() for library in blas.libraries()],
                   threads.run(lambda p: p, 4)))

    free = [library.get() for library in blas.libraries()]
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    with blas.one_thread(), blas.one_thread().lock, threads._pool.lock:
        child = context.Process(target=look, args=(send,))
        child.start()
    try:
        assert receive.poll(120), "the child hangs"
        assert receive.recv() == (0, free, [0, 1, 2, 3])
    finally:
        child.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_is_inside_a_model():
    """It is not inside in the child, where it does not exist."""
    model = GPT(GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=8))
    inside, go_on = threading.Event(), threading.Event()
    real = model.logits

    def wait(*arguments):
        inside.set()
        go_on.wait(60)
        return real(*arguments)

    model.logits = wait
    other = threading.Thread(target=model.forward, args=([[1]],))
    other.start()
    inside.wait(60)
    del model.logits
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=lambda: send.send(model.forward([[1]]).shape))
    try:
        with pytest.raises(RuntimeError, match="another thread"):
            model.forward([[1]])
        child.start()
        assert receive.poll(120), "the child is refused"
        assert receive.recv() == (1, 1, 20)
    finally:
        go_on.set()
        other.join()
        child.kill()
    assert model.forward([[1]]).shape == (1, 1, 20)


def test_products_hold_blas_to_one_thread_until_the_last_has_left():
    libraries = blas.libraries()
    if not libraries:
        pytest.skip("this BLAS cannot be held back")
    before = [library.get() for library in libraries]
    seen = set()

    def hold(i):
        for _ in range(300):
            with blas.one_thread():
                seen.update(library.get() for library in libraries)

    in_threads(3, hold)
    assert seen == {1}
    assert [library.get() for library in libraries] == before


def test_number_of_threads(monkeypatch):
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    assert threads.count() == threads.cores() >= 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "5")
    assert threads.count() == threads.Pool().size() == 5
    for wrong in ("0", "-1", "two", ""):
        monkeypatch.setenv("NUMBA_NUM_THREADS", wrong)
        with pytest.raises(ValueError, match=f"NUMBA_NUM_THREADS='{wrong}'"):
            threads.count()


def test_fewer_threads_where_the_system_allows_no_more(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setenv("NUMBA_NUM_THREADS", "4")
    monkeypatch.setattr(threads, "_pool", threads.Pool())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert threads.run(lambda p: p, 6) == list(range(6))
    assert threads._pool.size() == 1
