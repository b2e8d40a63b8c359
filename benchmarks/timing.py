"""Taking turns and taking time."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def median_times(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """Median of the seconds each function reports; in every round each has one turn."""
    times: list[list[float]] = [[run() for run in runs] for _ in range(rounds)]
    return [statistics.median(seconds) for seconds in zip(*times)]


def seconds(run: Callable[..., object], *args: object, **options: object) -> float:
    start = time.perf_counter()
    run(*args, **options)
    return time.perf_counter() - start


def seconds_from_nothing(tok: Any, run: Callable[..., object], *args: object,
                         **options: object) -> float:
    """A run with a tokenizer that has seen no text yet."""
    tok.model.forget()
    return seconds(run, *args, **options)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let the package use so many threads."""
    before = os.environ.get("NUMBA_NUM_THREADS")
    os.environ["NUMBA_NUM_THREADS"] = str(count)
    try:
        yield
    finally:
        del os.environ["NUMBA_NUM_THREADS"]
        if before is not None:
            os.environ["NUMBA_NUM_THREADS"] = before
