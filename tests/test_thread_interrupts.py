"""Ctrl-C while the pool works: parts that have begun are waited for, and nothing is left over."""

from __future__ import annotations

import signal
import threading

import pytest

from minillm import threads

from .pools import in_threads, three_threads  # noqa: F401


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
