"""A BERT that says to which class a text belongs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..nn import Dropout, Init, Linear
from .bert import BERTConfig, BERTEncoder
from .settings import whole_numbers


@dataclass(frozen=True)
class BERTClassifierConfig(BERTConfig):
    """Sizes of a BERTClassifier: a BERT's, and how many classes there are."""

    classes: int = 2

    def __post_init__(self):
        super().__post_init__()
        whole_numbers(self, "classes")


class BERTClassifier(BERTEncoder):
    """The vector of the first token, [CLS], through tanh, decides. ``take`` begins with a BERT.

    A batch is (ids, labels), (ids, mask, labels) or (ids, mask, types, labels), with labels (B,).
    Source: Devlin et al. (2019), section 4.1.
    """

    Config = BERTClassifierConfig

    def build(self, config: BERTClassifierConfig, init: Init) -> None:  # type: ignore[override]
        super().build(config, init)
        std = config.width ** -0.5
        self.pooler = Linear(config.width, config.width, init, std)
        self.pooled_dropout = Dropout(config.dropout)
        self.output = Linear(config.width, config.classes, init, std)

    def logits(self, ids, mask=None, types=None, *, drops=None):
        """Scores of the classes: ids (B, T) -> (B, classes); see BERTEncoder.encode."""
        x, real = self.encode(ids, mask, types, drops)
        self.first, self.shape = real.argmax(axis=1), x.shape  # padding may stand at the left
        self.pooled = np.tanh(self.pooler(x[np.arange(len(x)), self.first]))
        return self.output(self.pooled_dropout(self.pooled, drops))

    def logits_backward(self, dlogits):
        dy = self.pooled_dropout.backward(self.output.backward(dlogits))
        dfirst = self.pooler.backward(dy * (1 - self.pooled * self.pooled))
        dx = np.zeros(self.shape, dy.dtype)
        dx[np.arange(len(dx)), self.first] = dfirst
        self.encode_backward(dx)
