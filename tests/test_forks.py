"""A forked child makes threads of its own, and no lock stays closed in it."""

from __future__ import annotations

import multiprocessing
import os
import threading

import numpy as np
import pytest

from minillm import blas, threads
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Workers


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
