"""Which of two ways is faster, measured fairly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

from ..backends import backend


class Race:
    """Median seconds of each runner. ``ratio``: the first one's divided by the last one's."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        first, *_, last = seconds.values()
        self.ratio = first / last

    def __repr__(self) -> str:
        width = max(map(len, self.seconds))
        lines = [f"{name:{width}}  {_readable(s)}" for name, s in self.seconds.items()]
        digits = 1 if self.ratio < 10 else 0
        ratio = f"{self.ratio:.{digits}f}"
        return "\n".join([*lines, f"the last is {ratio} times as fast as the first"])


def _readable(seconds: float) -> str:
    unit, factor = next((u, f) for u, f in (("s ", 1), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9))
                        if seconds * f >= 1 or u == "ns")
    return f"{seconds * factor:7.3g} {unit}"


def race(runs: Callable[[], object] | Mapping[str, Callable[[], object]],
         rounds: int = 5) -> Race:
    """Time functions side by side: each runs once to warm up, then all take turns.

    runs: name -> function without arguments; or one function, to be run with the NumPy
    definitions and with the Numba twins. Taking turns shares out what else the machine does, and
    the median of the rounds forgives a single interruption. Show the result: it prints itself.
    """
    if callable(runs):
        run = runs
        runs = {name: _with_backend(name, run) for name in ("numpy", "numba")}
    if len(runs) < 2 or rounds < 1:
        raise ValueError(f"{len(runs)} runners and rounds={rounds}: expected at least two "
                         "functions by name and one round")
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, function in runs.items():
            start = perf_counter()
            function()
            if turn:
                times[name].append(perf_counter() - start)
    return Race({name: median(taken) for name, taken in times.items()})


def _with_backend(name: str, run: Callable[[], object]) -> Callable[[], object]:
    def function() -> object:
        with backend(name):
            return run()
    return function
