"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from tqdm import tqdm

from ..checks import check, is_number, is_whole
from ..models.checkpoints import load_checkpoint, save_checkpoint
from .batches import Batches, uninterrupted
from .evaluation import count_labels, evaluate
from .log import COLUMNS, append_row, describe, keep_rows
from .schedules import Schedule, constant
from .workers import Workers


class Trainer:
    """Repeats: a batch, its loss, its gradient, one step of the optimizer.

    model, optimizer: as in :mod:`minillm.training`; loader: yields batches that ``model.loss``
    takes, such as (ids, targets), both (B, T), epoch after epoch, and has ``state()`` and
    ``resume(state)``. After an exception (Ctrl-C, a loader that could not read) ``fit`` may be
    called again: a step is whole or not taken, and the one that was not is taken with the same
    batches.

    - schedule: learning rate of each step; the optimizer's own rate if None.
    - accumulate: batches per step. Each counts by its labels, as one large batch would.
    - workers: threads that share each batch; see :class:`Workers`.
    - smoothing: of the labels in training, not in validation; see ops.cross_entropy.
    - seed: decides, with the number of the step, what a model with dropout drops.
    - clip: greatest length of the gradient; None leaves it.
    - validation: a function that returns batches to evaluate on, every ``evaluate_every`` steps.
    - checkpoint: file to save to, every ``checkpoint_every`` steps and at the end.
    - log: CSV file with a row per step; print_every: steps between printed lines (0: none).
    - accuracy: log the share of labels that were the model's best guess, too.
    """

    def __init__(self, model, optimizer, loader, *, schedule: Schedule | None = None,
                 accumulate: int = 1, workers: int = 1, smoothing: float = 0.0, seed: int = 0,
                 clip: float | None = 1.0,
                 validation: Callable[[], Iterable] | None = None, evaluate_every: int = 0,
                 checkpoint=None, checkpoint_every: int = 0, log=None, print_every: int = 0,
                 progress: bool = True, accuracy: bool = False):
        check("accumulate", accumulate, is_whole(accumulate) and accumulate >= 1,
              "a whole number of batches of at least 1")
        check("smoothing", smoothing, is_number(smoothing) and 0 <= smoothing < 1,
              "a number in [0, 1)")
        check("seed", seed, is_whole(seed) and seed >= 0, "a whole number of at least 0")
        check("clip", clip, clip is None or (is_number(clip) and clip > 0),
              "a positive length, or None")
        for name, every in (("evaluate_every", evaluate_every),
                            ("checkpoint_every", checkpoint_every), ("print_every", print_every)):
            check(name, every, is_whole(every) and every >= 0, "a whole number of steps, or 0")
        for name, function in (("schedule", schedule), ("validation", validation)):
            check(name, function, function is None or callable(function), "a function, or None")
        if getattr(optimizer, "model", model) is not model:
            raise ValueError("optimizer changes another model than the one to train; make it from "
                             "this one (a copy of a model needs an optimizer of its own)")
        if checkpoint is not None and not hasattr(loader, "state"):
            raise TypeError(f"checkpoint={str(checkpoint)!r:.60} needs a loader that can say where "
                            "it stands; pass a DataLoader, or no checkpoint")
        self.model, self.optimizer, self.loader = model, optimizer, loader
        self.schedule = schedule or constant(optimizer.lr)
        self.accumulate, self.seed, self.clip = accumulate, int(seed), clip
        self.workers = Workers(model, workers, smoothing, accuracy)
        self.validation, self.evaluate_every = validation, evaluate_every
        self.checkpoint, self.checkpoint_every = checkpoint, checkpoint_every
        self.log, self.print_every, self.progress = log, print_every, progress
        self.history: list[dict[str, Any]] = []
        self.step = self.tokens = 0
        self.seconds = 0.0
        self._batches = Batches(loader)

    def fit(self, steps: int) -> list[dict[str, Any]]:
        """Train until ``steps`` steps are done in all; returns the history, a dict per step."""
        check("steps", steps, is_number(steps), "a number of steps")
        with tqdm(total=steps, initial=self.step, unit="step", disable=not self.progress) as bar:
            while self.step < steps:
                row = self.train_step()
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.3f}", refresh=False)
                if self.print_every and (self.step % self.print_every == 0 or self.step == steps):
                    bar.write(self.line(row, steps))
                if self.checkpoint and self.checkpoint_every \
                        and self.step % self.checkpoint_every == 0 and self.step < steps:
                    self.save(self.checkpoint)
        if self.checkpoint:
            self.save(self.checkpoint)
        return self.history

    def line(self, row: dict[str, Any], steps: int) -> str:
        """What is printed of a step, of ``steps`` in all."""
        return describe(row)

    def train_step(self) -> dict[str, Any]:
        """One step of the optimizer; returns its row of the log."""
        started = time.perf_counter()
        self._batches.again()  # those of a step that did not come to its end
        self.optimizer.lr = self.schedule(self.step)
        loss, labels, right = self.gradient()
        norm = self.optimizer.clip(self.clip if self.clip is not None else float("inf"))
        row: dict[str, Any] = dict.fromkeys(COLUMNS, None) | {
            "step": self.step + 1, "tokens": self.tokens + labels, "loss": loss,
            "accuracy": None if right is None else right / max(labels, 1),
            "lr": self.optimizer.lr, "norm": norm}
        try:
            with uninterrupted():
                self.optimizer.step()
                self._batches.done()
                self.step, self.tokens = row["step"], row["tokens"]
                self.seconds += time.perf_counter() - started
                row["seconds"] = self.seconds
                self.history.append(row)
            if self.validation and self.evaluate_every and self.step % self.evaluate_every == 0:
                result = evaluate(self.model, self.validation())
                row |= {"valid_loss": result.loss, "valid_accuracy": result.accuracy}
        finally:  # once taken, a step is logged, whatever became of the validation
            if self.log and row["seconds"] is not None:
                append_row(self.log, row)
        return row

    def gradient(self) -> tuple[float, int, int | None]:
        """(loss, labels, right guesses if counted) of ``accumulate`` batches: the loss is the mean
        over their labels, its gradient is in model.grads."""
        batches = [next(self._batches) for _ in range(self.accumulate)]
        counts = [count_labels(batch[-1]) for batch in batches]
        labels = max(sum(counts), 1)
        self.model.grads[:] = 0
        loss, row, right = 0.0, 0, 0
        for batch, count in zip(batches, counts, strict=True):
            share = count / labels
            loss += share * self.workers.add_gradient(*batch, scale=share,
                                                      seed=(self.seed, self.step), row=row)
            row += len(batch[-1])
            right += self.workers.right or 0
        return loss, sum(counts), right if self.workers.accuracy else None

    def save(self, path) -> None:
        """Write everything that is needed to go on, atomically; see save_checkpoint."""
        state = {"step": self.step, "tokens": self.tokens, "seconds": self.seconds,
                 "seed": self.seed, "loader": self._batches.state()}
        save_checkpoint(path, self.model, self.optimizer, state)

    def resume(self, path) -> None:
        """Go on exactly where the checkpoint was written: the same steps follow, bit for bit.

        One exception is known: a kernel just compiled and the same kernel loaded from Numba's disk
        cache may differ in the last digit, so the very first run on a machine is not repeated to
        the bit by later ones.
        """
        found = load_checkpoint(path)
        if (found.kind, found.config) != (self.model.kind(), self.model.config):
            raise ValueError(f"{path} holds a model with {found.config}, but this one has "
                             f"{self.model.config}; build the model with the stored sizes")
        if found.memory is None or not {"step", "tokens", "seconds", "loader"} <= set(found.state):
            raise ValueError(f"{path} holds a model only, not a training run to resume")
        mine = type(self.optimizer).__name__
        if found.state["optimizer"] != mine or set(found.memory) != set(self.optimizer.memory):
            raise ValueError(f"{path} was written with {found.state['optimizer']}, but this run "
                             f"has {mine}; make the same optimizer")
        for name in ("step", "tokens", "seed"):
            number = found.state.setdefault(name, self.seed)  # older files do not say their seed
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                raise ValueError(f"{path}: its {name} is {number!r:.40}, not a whole number")
        seconds = found.state["seconds"]
        if not is_number(seconds) or not 0 <= seconds < float("inf"):
            raise ValueError(f"{path}: its seconds is {seconds!r:.40}, not a number of at least 0")
        self.loader.resume(found.state["loader"])  # it may refuse: nothing has changed by then
        self.model.weights[:] = found.weights
        for name, vector in found.memory.items():
            getattr(self.optimizer, name)[:] = vector
        self.optimizer.steps = found.state["optimizer_steps"]
        self.step, self.tokens = found.state["step"], found.state["tokens"]
        self.seconds, self.seed = seconds, found.state["seed"]
        self.history = [row for row in self.history if row["step"] <= self.step]
        self._batches = Batches(self.loader)
        if self.log:
            keep_rows(self.log, self.step)
