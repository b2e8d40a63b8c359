"""The pool: results, errors, contexts, and many threads that ask at once."""

from __future__ import annotations

import contextvars
import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from minillm import blas, threads
from minillm.backends import active_backend, backend

from .ops.test_twins import CASES
from .pools import in_threads, three_threads  # noqa: F401


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
def test_of_two_errors_the_one_of_the_first_part_is_raised():
    both, later = threading.Barrier(2, timeout=60), threading.Event()

    def part(p):
        both.wait()
        try:
            if p == 0:
                later.wait(60)
            raise KeyError(f"part {p}")
        finally:
            if p == 1:
                threading.Timer(0.1, later.set).start()  # when the second error has been noted

    with pytest.raises(KeyError, match="part 0"):
        threads.run(part, 2)


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
