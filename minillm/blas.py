"""Holding BLAS, which does NumPy's matrix products, to one thread: cutting them is the pool's work.

BLAS has threads of its own, which cannot know of ours: cut by both, a product is slower, and
afterwards theirs wait by spinning on the cores that the next kernel needs.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple


class Library(NamedTuple):
    """A BLAS library of this process, and the number of threads it may use, for all its callers."""

    get: Callable[[], int]
    set: Callable[[int], Any]


@functools.cache
def libraries() -> list[Library]:
    """Those whose threads can be held back; none if there is one that cannot.

    threadpoolctl finds them. It lets one thread of the process alone set OpenBLAS's number, so
    that is done here. Where each thread has a number of its own (OpenBLAS on OpenMP), it cannot.
    """
    import numpy  # noqa: F401  loads the library
    from threadpoolctl import ThreadpoolController

    found = []
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        held: Library | None = None
        if library.internal_api == "openblas" and library.threading_layer != "openmp":
            held = openblas(library.filepath)
        elif library.internal_api == "mkl":
            held = Library(library.get_num_threads, library.set_num_threads)
        if held is None:
            return []
        found.append(held)
    return found


def openblas(path: str) -> Library | None:
    """OpenBLAS's two functions, whose names vary with how it was built."""
    library = ctypes.CDLL(path)
    for before, after in itertools.product(("", "scipy_"), ("", "64_", "_64")):
        if hasattr(library, f"{before}openblas_set_num_threads{after}"):
            return Library(getattr(library, f"{before}openblas_get_num_threads{after}"),
                           getattr(library, f"{before}openblas_set_num_threads{after}"))
    return None


class OneThread:
    """While anyone is inside, a matrix product is done by the thread that asks for it alone.

    How many threads BLAS uses is one number for the process; the last to leave sets it back.
    """

    def __init__(self) -> None:
        self.lock, self.holders = threading.Lock(), 0
        self.before: list[int] = []

    def __enter__(self) -> None:
        with self.lock:
            if not self.holders:
                self.before = [library.get() for library in libraries()]
                self.set([1] * len(self.before))
            self.holders += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.holders -= 1
            if not self.holders:
                self.set(self.before)

    def set(self, numbers: list[int]) -> None:
        for library, before, number in zip(libraries(), self.before, numbers):
            if before != 1:
                library.set(number)


def one_thread() -> OneThread:
    """The context manager that holds BLAS to one thread; see :class:`OneThread`."""
    return _one_thread


def _start_anew() -> None:
    """In a forked child only the thread that forked exists: nobody else is inside."""
    global _one_thread
    held, _one_thread = _one_thread, OneThread()
    if held.holders:
        held.set(held.before)


_one_thread = OneThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
