"""How good a model is on data it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .. import ops
from .batches import parts_of


@dataclass(frozen=True)
class Evaluation:
    """Mean over all labels (not over batches): loss in nats, accuracy in [0, 1], label count."""

    loss: float
    accuracy: float
    labels: int

    @property
    def perplexity(self) -> float:
        """exp(loss): as many equally likely tokens would be as hard to guess."""
        return math.exp(min(self.loss, 700.0))

    def bits_per_byte(self, bytes_per_token: float) -> float:
        """The loss in bits for each byte of text, which does not depend on the tokenizer."""
        return self.loss / math.log(2) / bytes_per_token


def evaluate(model, batches: Iterable, ignore_index: int = -100) -> Evaluation:
    """Loss and accuracy of ``model`` over ``batches``: (ids, targets), both (B, T), for a GPT.

    For any model a batch is a tuple of arrays, its inputs and at the end the targets. Batches
    count by their labels: the mean of batch means would favour small batches. To score every token
    of a data set, give a DataLoader with ``drop_last=False``. The model may be used meanwhile, and
    between a loss and its backward.
    """
    if hasattr(model, "replica"):
        model = model.replica()
    total, right, labels = 0.0, 0, 0
    for number, batch in enumerate(batches):
        *inputs, targets = parts_of(f"batch {number}", batch)
        if hasattr(model, "check_inputs"):
            model.check_inputs(len(inputs))
        if targets.dtype.kind not in "iu":
            raise TypeError(f"targets of batch {number} has dtype {targets.dtype}; expected "
                            "integers")
        logits = model.forward(*inputs)
        counted = targets != ignore_index
        count = int(counted.sum())
        total += ops.cross_entropy(logits, targets, ignore_index) * count
        right += int((logits.argmax(axis=-1) == targets)[counted].sum())
        labels += count
    if labels == 0:
        raise ValueError("batches holds no label to evaluate; check that the data is longer than "
                         "one window and that not every label is ignored")
    return Evaluation(total / labels, right / labels, labels)


def count_right(dlogits, targets, smoothing: float = 0.0, ignore_index: int = -100) -> int:
    """For how many labels the model's best guess was right, from the gradient of a mean loss.

    dlogits: (..., V), the gradient of ops.cross_entropy by the logits, which takes their place: it
    is (p - 1 + smoothing) / labels at each label, p / labels elsewhere, less the same for all.
    """
    targets = np.asarray(targets)
    counted = targets != ignore_index
    best = dlogits.argmax(axis=-1)  # of all others: the label's own is not above 0
    at = np.where(counted, targets, 0)
    lead, label = (np.take_along_axis(dlogits, i[..., None], axis=-1)[..., 0] for i in (best, at))
    taken = (1 - smoothing) / max(int(counted.sum()), 1)
    return int(((label + dlogits.dtype.type(taken) >= lead) & counted).sum())


def count_labels(targets, ignore_index: int = -100) -> int:
    """How many labels count."""
    return int(np.count_nonzero(np.asarray(targets) != ignore_index))
