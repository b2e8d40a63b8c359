"""Several threads share a batch: each takes some of its rows, and their gradients are added.

The gradient of a mean over labels is the mean of the parts' gradients, each weighted by its number
of labels. One thread for a part of the batch waits for the others once in a step; threads that
share every matrix product wait after each one, a hundred times in a step, and on a busy machine
every wait is for the slowest. Source: Goyal et al. (2017), section 2; Dean et al. (2012).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import blas, threads
from ..checks import check, is_whole
from .batches import parts_of
from .evaluation import count_labels, count_right


class Workers:
    """Adds the gradient of a batch to ``model.grads``, on ``count`` threads.

    smoothing: of the labels, see ops.cross_entropy. accuracy: count in ``right`` how many labels
    of the last batch were the model's best guess; None if it is not counted.
    model: as in :mod:`minillm.training`, with ``replica()``. With one thread the model works as it
    is. With more, each further thread has a replica of the model, with gradients and buffers of
    its own but the very same weights. Results depend on ``count`` by rounding only, and not on the
    number of threads that :mod:`minillm.threads` has for them.
    """

    def __init__(self, model, count: int = 1, smoothing: float = 0.0, accuracy: bool = False):
        check("workers", count, is_whole(count) and count >= 1,
              "a whole number of threads of at least 1")
        self.models = [model, *(model.replica() for _ in range(count - 1))]
        self.smoothing, self.accuracy = smoothing, accuracy
        self.right: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.models[0], "count": len(self.models), "smoothing": self.smoothing,
                "accuracy": self.accuracy}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copies and unpickled workers share the weights of the first copy."""
        self.__init__(**state)  # type: ignore[misc]

    def add_gradient(self, *batch, scale: float = 1.0, seed: Any = None, row: int = 0) -> float:
        """Mean loss over the labels; the gradient of ``scale`` times it is added to model.grads.

        batch: what ``model.loss`` takes, such as ids and targets, both (B, T). A thread gets
        B / count rows of each, as nearly as whole rows allow. seed, row: see ``model.loss``; what
        is dropped does not depend on ``count``. Raises ValueError for a batch
        without inputs and targets, or with parts of different numbers of rows.
        """
        batch = parts_of("batch", batch)
        targets = batch[-1]
        labels = count_labels(targets)
        rows = np.array_split(np.arange(len(targets)), len(self.models))
        parts = [part for part in rows if len(part) and count_labels(targets[part])]
        if len(parts) < 2:
            loss, self.right = self.loss(self.models[0], batch, seed, row)
            self.models[0].backward(scale)
            return loss
        for other in self.models[1:]:
            if other.weights is not self.models[0].weights:  # another vector was assigned
                other.weights = self.models[0].weights

        def gradient(i: int) -> tuple[float, int | None]:
            model, part = self.models[i], parts[i]
            if i > 0:
                model.grads[:] = 0
            share = count_labels(targets[part]) / labels
            loss, right = self.loss(model, [array[part] for array in batch], seed,
                                    row + int(part[0]))
            model.backward(scale * share)
            return share * loss, right

        with blas.one_thread():
            losses, rights = zip(*threads.run(gradient, len(parts)), strict=True)
        loss, self.right = sum(losses), sum(rights) if self.accuracy else None
        for model in self.models[1:len(parts)]:
            self.models[0].grads += model.grads
        return loss

    def loss(self, model, batch, seed: Any, row: int) -> tuple[float, int | None]:
        """Of rows of a batch, the first of which has the number ``row``; and right guesses."""
        # Other packages' models may know neither of the options.
        options = {"seed": seed, "row": row} if getattr(model, "drops", False) else {}
        if self.smoothing:
            options["smoothing"] = self.smoothing
        loss = model.loss(*batch, **options)
        return loss, count_right(model.dlogits, batch[-1], self.smoothing) if self.accuracy \
            else None
