"""Batches for the trainer: without end, and none lost when something goes wrong on the way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class Batches:
    """The batches of a loader, one epoch after another, each a tuple of arrays of its own.

    Batches taken since the last ``done`` are given out again after ``again``, and ``state`` is
    where the loader stood before them: a step that an exception ended is taken with the same ones.
    If the loader itself raises, the next call asks it for the same batch.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.epoch: Iterator[Any] = iter(())
        # Those that are not done, each with the loader's state before it; the first are taken.
        self.drawn: list[tuple[Any, tuple[np.ndarray, ...]]] = []
        self.taken = 0

    def __next__(self) -> tuple[np.ndarray, ...]:
        if self.taken == len(self.drawn):
            self._draw()
        self.taken += 1  # Ctrl-C comes before this or after it, and so loses nothing
        return self.drawn[self.taken - 1][1]

    def _draw(self) -> None:
        before, count = self._state(), len(self.drawn)
        try:
            for _ in range(3):  # this epoch may be over, and the next be one resumed at its end
                batch = next(self.epoch, None)
                if batch is not None:
                    # Copies: a loader may fill the same arrays again before the step is done.
                    copies = tuple(map(np.array, parts_of("batch of the loader", batch)))
                    self.drawn.append((before, copies))
                    return
                self.epoch = iter(self.loader)
        except BaseException:
            with uninterrupted():
                del self.drawn[count:]
                self.epoch = iter(())  # a generator that has raised gives nothing any more
                if before is not None:
                    self.loader.resume(before)
            raise
        raise ValueError("loader yields no batch in a whole epoch; lower its batch_size or give it "
                         "more data")

    def _state(self) -> Any:
        return self.loader.state() if hasattr(self.loader, "state") else None

    def again(self) -> None:
        """Give out once more, in the same order, what was taken and is not done."""
        self.taken = 0

    def done(self) -> None:
        """What was taken has been used."""
        self.drawn, self.taken = self.drawn[self.taken:], 0

    def state(self) -> Any:
        """The loader's state before the first batch that is not done."""
        return self.drawn[0][0] if self.drawn else self.loader.state()


def parts_of(name: str, batch: Any) -> tuple[np.ndarray, ...]:
    """The inputs and at the end the targets of a batch, as arrays with a row for each example.

    Raises ValueError, or TypeError for what is no sequence of arrays, that begins with ``name``.
    """
    if not isinstance(batch, (tuple, list)) and getattr(batch, "ndim", 0) == 0:
        raise TypeError(f"{name} is {batch!r:.60}; expected a tuple of arrays, such as "
                        "(ids, targets)")
    if len(batch) < 2:
        raise ValueError(f"{name} has {len(batch)} parts; expected inputs and targets, such as "
                         "(ids, targets), in one tuple for each batch")
    parts = []
    for i, part in enumerate(batch):
        try:
            array = np.asarray(part)
        except ValueError:  # rows of different lengths
            array = np.array(None)
        if array.ndim == 0 or array.dtype.kind not in "iufb":
            raise TypeError(f"{name} has as part {i} {part!r:.60}; expected an array of numbers "
                            "with a row for each example, all rows of one length")
        parts.append(array)
    if len({len(array) for array in parts}) > 1:
        raise ValueError(f"{name} has parts of {[len(array) for array in parts]} rows; expected as "
                         "many in each: row i of the targets belongs to row i of the inputs")
    return tuple(parts)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off Ctrl-C to the end of the block, so that all of it is done or nothing."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield  # only the main thread is interrupted, and only by a handler of Python's
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
