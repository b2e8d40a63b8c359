"""The training loop."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .checkpoints import load_checkpoint, save_checkpoint
from .evaluation import count_labels, evaluate
from .optimizers import check
from .schedules import Schedule, constant
from .workers import Workers

COLUMNS = ("step", "tokens", "loss", "lr", "norm", "seconds", "valid_loss", "valid_accuracy")


class Trainer:
    """Repeats: a batch, its loss, its gradient, one step of the optimizer.

    model, optimizer: as in :mod:`minillm.training`; loader: yields (ids, targets), both (B, T),
    epoch after epoch, and has ``state()`` and ``resume(state)``.

    - schedule: learning rate of each step; the optimizer's own rate if None.
    - accumulate: batches per step. Each counts by its labels, as one large batch would.
    - workers: threads that share each batch; see :class:`Workers`.
    - clip: greatest length of the gradient; None leaves it.
    - validation: a function that returns batches to evaluate on, every ``evaluate_every`` steps.
    - checkpoint: file to save to, every ``checkpoint_every`` steps and at the end.
    - log: CSV file with a row per step; print_every: steps between printed lines (0: none).
    """

    def __init__(self, model, optimizer, loader, *, schedule: Schedule | None = None,
                 accumulate: int = 1, workers: int = 1, clip: float | None = 1.0,
                 validation: Callable[[], Iterable] | None = None, evaluate_every: int = 0,
                 checkpoint=None, checkpoint_every: int = 0, log=None, print_every: int = 0,
                 progress: bool = True):
        check("accumulate", accumulate, accumulate >= 1, "a number of batches of at least 1")
        check("clip", clip, clip is None or clip > 0, "a positive length, or None")
        self.model, self.optimizer, self.loader = model, optimizer, loader
        self.schedule = schedule or constant(optimizer.lr)
        self.accumulate, self.clip = accumulate, clip
        self.workers = Workers(model, workers)
        self.validation, self.evaluate_every = validation, evaluate_every
        self.checkpoint, self.checkpoint_every = checkpoint, checkpoint_every
        self.log, self.print_every, self.progress = log, print_every, progress
        self.history: list[dict[str, Any]] = []
        self.step = self.tokens = 0
        self.seconds = 0.0
        self._batches = _endless(loader)

    def fit(self, steps: int) -> list[dict[str, Any]]:
        """Train until ``steps`` steps are done in all; returns the history, a dict per step."""
        with tqdm(total=steps, initial=self.step, unit="step", disable=not self.progress) as bar:
            while self.step < steps:
                row = self.train_step()
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.3f}", refresh=False)
                if self.print_every and (self.step % self.print_every == 0 or self.step == steps):
                    bar.write(describe(row))
                if self.checkpoint and self.checkpoint_every \
                        and self.step % self.checkpoint_every == 0 and self.step < steps:
                    self.save(self.checkpoint)
        if self.checkpoint:
            self.save(self.checkpoint)
        return self.history

    def train_step(self) -> dict[str, Any]:
        """One step of the optimizer; returns its row of the log."""
        started = time.perf_counter()
        self.optimizer.lr = self.schedule(self.step)
        loss, labels = self.gradient()
        norm = self.optimizer.clip(self.clip if self.clip is not None else float("inf"))
        self.optimizer.step()
        self.step += 1
        self.tokens += labels
        self.seconds += time.perf_counter() - started
        row = dict.fromkeys(COLUMNS, None) | {
            "step": self.step, "tokens": self.tokens, "loss": loss, "lr": self.optimizer.lr,
            "norm": norm, "seconds": self.seconds}
        if self.validation and self.evaluate_every and self.step % self.evaluate_every == 0:
            result = evaluate(self.model, self.validation())
            row |= {"valid_loss": result.loss, "valid_accuracy": result.accuracy}
        self.history.append(row)
        if self.log:
            append_row(self.log, row)
        return row

    def gradient(self) -> tuple[float, int]:
        """Mean loss over the labels of ``accumulate`` batches, its gradient in model.grads."""
        batches = [next(self._batches) for _ in range(self.accumulate)]
        counts = [count_labels(targets) for _, targets in batches]
        labels = max(sum(counts), 1)
        self.model.grads[:] = 0
        loss = 0.0
        for (ids, targets), count in zip(batches, counts, strict=True):
            share = count / labels
            loss += share * self.workers.add_gradient(ids, targets, share)
        return loss, labels

    def save(self, path) -> None:
        """Write everything that is needed to go on, atomically."""
        state = {"step": self.step, "tokens": self.tokens, "seconds": self.seconds,
                 "loader": self.loader.state()}
        save_checkpoint(path, self.model, self.optimizer, state)

    def resume(self, path) -> None:
        """Go on exactly where the checkpoint was written: the same steps follow, bit for bit.

        One exception is known: a kernel just compiled and the same kernel loaded from Numba's disk
        cache may differ in the last digit, so the very first run on a machine is not repeated to
        the bit by later ones.
        """
        found = load_checkpoint(path)
        if found.config != self.model.config:
            raise ValueError(f"{path} holds a model with {found.config}, but this one has "
                             f"{self.model.config}; build the model with the stored sizes")
        if found.moments is None or not {"step", "tokens", "seconds", "loader"} <= set(found.state):
            raise ValueError(f"{path} holds a model only, not a training run to resume")
        self.model.weights[:] = found.weights
        self.optimizer.m[:], self.optimizer.v[:] = found.moments
        self.optimizer.steps = found.state["optimizer_steps"]
        self.step, self.tokens = found.state["step"], found.state["tokens"]
        self.seconds = found.state["seconds"]
        self.loader.resume(found.state["loader"])
        self._batches = _endless(self.loader)
        if self.log:
            keep_rows(self.log, self.step)


def _endless(loader):
    """Batches of one epoch after another."""
    while True:
        empty = True
        for batch in loader:
            empty = False
            yield batch
        if empty:
            raise ValueError("loader yields no batch in a whole epoch; lower its batch_size or "
                             "give it more data")


def describe(row: dict[str, Any]) -> str:
    """A row of the log as a line to print."""
    line = f"step {row['step']:>6}  loss {row['loss']:.4f}  lr {row['lr']:.2e}"
    if row["valid_loss"] is not None:
        line += f"  valid {row['valid_loss']:.4f}  accuracy {row['valid_accuracy']:.3f}"
    return line


def append_row(path, row: dict[str, Any]) -> None:
    """Add a row to the CSV file, with the header first if the file is new."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists() or path.stat().st_size == 0
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def keep_rows(path, step: int) -> None:
    """Drop the rows after ``step``: they belong to steps that will be taken again."""
    path = Path(path)
    if not path.exists():
        return
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
