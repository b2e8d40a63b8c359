"""A trainer for the command line: it stops between two steps, and reports on epochs and time."""

from __future__ import annotations

import csv
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def interruptible() -> Any:
    """The class of trainers that Ctrl-C stops between two steps, or in a validation."""
    from ..training import Trainer

    class Stopped(Exception):
        """Raised when a signal has come, after a whole step."""

    class Interruptible(Trainer):
        asked_to_stop = False

        def __init__(self, *arguments: Any, validation: Any, after: Any, **options: Any) -> None:
            """after: a function (trainer, row, epoch), called after each step; epoch is the number
            of the one that ended with it, or None."""
            def until_stopped() -> Iterator[Any]:
                for batch in validation():
                    if self.asked_to_stop:  # the step before it is whole, and its row is logged
                        raise Stopped
                    yield batch

            super().__init__(*arguments, validation=validation and until_stopped, **options)
            self.after = after

        def epochs(self) -> int:
            """How many whole epochs all steps together make."""
            return self.step * self.accumulate // len(self.loader)

        def train_step(self) -> dict[str, Any]:
            before = self.epochs()
            row = super().train_step()
            self.after(self, row, self.epochs() if self.epochs() > before else None)
            if self.asked_to_stop:
                raise Stopped
            return row

        def line(self, row: dict[str, Any], steps: int) -> str:
            """With the speed of this run and the time that is left at it."""
            return f"{super().line(row, steps)}{pace(self.history[-100:], steps)}"

        def fit_until_stopped(self, steps: int) -> bool:
            """Train; on Ctrl-C or SIGTERM save after the step. False if it was stopped.

            A validation that has begun is given up: it changes nothing that a resumed run needs.
            """
            def ask(*_: Any) -> None:
                self.asked_to_stop = True

            before = {kind: signal.signal(kind, ask) for kind in (signal.SIGINT, signal.SIGTERM)}
            try:
                self.fit(steps)
            except Stopped:
                self.save(self.checkpoint)
                return False
            finally:
                for kind, handler in before.items():
                    signal.signal(kind, handler)
            return True

    return Interruptible


def pace(rows: list[dict[str, Any]], steps: int) -> str:
    """Tokens per second over these rows of the history, and the time that the rest will take."""
    if len(rows) < 2:
        return ""
    first, last = rows[0], rows[-1]
    seconds = max(last["seconds"] - first["seconds"], 1e-9)
    left = round((steps - last["step"]) * seconds / (len(rows) - 1))
    clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
    return f"  {(last['tokens'] - first['tokens']) / seconds:,.0f} tokens/s  {clock} left"


def epoch_line(log: Path, epoch: int, steps: float) -> str:
    """Means over all labels of an epoch of so many steps, from the rows of the log."""
    labels, loss, right, before = 0, 0.0, 0.0, 0
    with open(log, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            count, before = int(row["tokens"]) - before, int(row["tokens"])
            if epoch - 1 < int(row["step"]) / steps <= epoch:
                labels += count
                loss += count * float(row["loss"])
                right += count * float(row["accuracy"])
    return f"epoch {epoch}: loss {loss / labels:.4f}, accuracy {right / labels:.3f}, means over " \
           f"{labels:,} tokens"
