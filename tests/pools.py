"""What tests of threads share: a pool of known size, and threads that start together."""

import threading

import pytest

from minillm import threads


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
