"""One small model of each kind of the Transformer family, and a batch for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minillm.models import (
    BERT,
    BERTClassifier,
    BERTClassifierConfig,
    BERTConfig,
    Seq2Seq,
    Seq2SeqConfig,
    ViT,
    ViTConfig,
)
from minillm.nn import Experts

SIZES: dict[str, Any] = dict(vocab_size=13, context=8, layers=2, heads=4, width=16)


class Kind(NamedTuple):
    model: type
    config: Any
    batch: Any  # a function of nothing

    def make(self, dtype=np.float64):
        """Weights large enough that every part matters."""
        model = self.model(self.config, dtype=dtype)
        model.weights[:] = np.random.default_rng(1).normal(0, 0.3, model.weights.size)
        return model

    def loss(self, model, *batch, seed=5):
        return model.loss(*batch, **(dict(seed=seed, row=2) if model.drops else {}))


def pairs(*options):
    """(source, target, labels), or with a mask of padding at the right of some and left of one."""
    rng = np.random.default_rng(0)
    source, (target, labels) = rng.integers(0, 13, (5, 6)), rng.integers(0, 13, (2, 5, 7))
    labels[0, 2] = labels[-1, 3:] = -100
    if not options:
        return source, target, labels
    mask = np.ones(source.shape, bool)
    mask[1, 4:] = mask[2, 1:] = mask[3, :2] = mask[4] = False  # and a row of padding alone
    return source, target, mask, labels


def segments(labels):
    """(ids, mask, types, labels): of "tokens" or of "classes"."""
    rng = np.random.default_rng(2)
    ids, types = rng.integers(0, 13, (5, 7)), rng.integers(0, 2, (5, 7))
    mask = np.ones(ids.shape, bool)
    mask[1, 4:] = mask[2, :3] = mask[3, 1:] = mask[4] = False
    if labels == "classes":
        return ids, mask, types, np.array([2, 0, 1, -100, 2])
    return ids, mask, types, np.where(rng.random(ids.shape) < 0.5, ids, -100)


def pictures(*size):
    """(images, labels), of three classes."""
    rng = np.random.default_rng(4)
    return rng.normal(size=(5, *size)), np.array([2, 0, 1, -100, 2])


EXPERTS = Experts(4, 2, hidden=9)
KINDS = {
    "Seq2Seq, experts": Kind(Seq2Seq, Seq2SeqConfig(**SIZES, experts=EXPERTS), pairs),
    "BERT, experts": Kind(BERT, BERTConfig(**SIZES, eps=1e-6, experts=EXPERTS),
                          lambda: segments("tokens")),
    "ViT, experts": Kind(ViT, ViTConfig(image=6, patch=2, classes=3, layers=2, heads=4, width=16,
                                        experts=EXPERTS), lambda: pictures(6, 6)),
    "Seq2Seq": Kind(Seq2Seq, Seq2SeqConfig(**SIZES), pairs),
    "Seq2Seq, padded": Kind(Seq2Seq, Seq2SeqConfig(**SIZES, norm_first=True),
                            lambda: pairs("mask")),
    "Seq2Seq, two tables": Kind(
        Seq2Seq, Seq2SeqConfig(**SIZES, source_vocab=13, tied=False, positions="learned",
                               feed_forward="swiglu", hidden=24), pairs),
    "Seq2Seq, dropout": Kind(Seq2Seq, Seq2SeqConfig(**SIZES, dropout=0.3), pairs),
    "BERT": Kind(BERT, BERTConfig(**SIZES, eps=1e-6), lambda: segments("tokens")),
    "BERT, norms first": Kind(BERT, BERTConfig(**SIZES, norm_first=True, types=2, hidden=24),
                              lambda: segments("tokens")),
    "BERT, dropout": Kind(BERT, BERTConfig(**SIZES, dropout=0.3), lambda: segments("tokens")),
    "BERTClassifier": Kind(BERTClassifier, BERTClassifierConfig(**SIZES, classes=3),
                           lambda: segments("classes")),
    "BERTClassifier, dropout": Kind(
        BERTClassifier, BERTClassifierConfig(**SIZES, classes=3, dropout=0.3, norm_first=True),
        lambda: segments("classes")),
    "ViT": Kind(ViT, ViTConfig(image=6, patch=2, classes=3, layers=2, heads=4, width=16),
                lambda: pictures(6, 6)),
    "ViT, colours and dropout": Kind(
        ViT, ViTConfig(image=(4, 6), patch=2, classes=3, layers=2, heads=2, width=16, channels=3,
                       hidden=24, norm_first=False, dropout=0.3), lambda: pictures(4, 6, 3)),
}
