"""Processes that make a loader's batches ahead of time, in its order."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

AHEAD = 3  # batches in the making for each process

_make: Any = None  # in a process: the function that makes a batch of rows


class BatchMakers:
    """``count`` processes, each with a copy of ``source``, whose ``fill(rows)`` makes a batch.

    They start when the first batch is asked for, and end with this object. Spawned, not forked: a
    fork would copy locks that threads of this process hold.
    """

    def __init__(self, source: Any, count: int) -> None:
        self.source, self.count = source, count
        self.pool: ProcessPoolExecutor | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"source": self.source, "count": self.count, "pool": None}

    def batches(self, rows: Iterable[np.ndarray]) -> Iterator[Any]:
        """What ``source.fill`` makes of each of ``rows``, in their order.

        Raises RuntimeError where a process has died; the next call starts new ones.
        """
        waiting: deque[Future] = deque()
        todo = iter(rows)
        try:
            while True:
                while len(waiting) < AHEAD * self.count:
                    part = next(todo, None)
                    if part is None:
                        break
                    waiting.append(self.started().submit(make, part))
                if not waiting:
                    return
                yield waiting.popleft().result()
        except BrokenProcessPool as problem:
            self.pool = None
            raise RuntimeError("a process that makes batches has ended before its time (killed, or "
                               "out of memory?); no batch is lost: the next pass makes it again "
                               "with new processes. With workers=0 none is needed") from problem
        finally:
            for future in waiting:
                future.cancel()

    def started(self) -> ProcessPoolExecutor:
        if self.pool is None:
            self.pool = ProcessPoolExecutor(
                self.count, multiprocessing.get_context("spawn"), begin, (self.source,))
        return self.pool


def begin(source: Any) -> None:
    """A process has started: it keeps the source. Ctrl-C, which the terminal sends to all
    processes, is for the one that trains."""
    global _make
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _make = source.fill


def make(rows: np.ndarray) -> Any:
    """A batch of these rows, made by the source of this process."""
    return _make(rows)
