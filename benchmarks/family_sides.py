"""A training step of each model beside GPT: ours and PyTorch's.

Sizes: "chapter", those of the model's chapter in the book, and "wide", with width 384.
"""

from __future__ import annotations

import numpy as np

from .steps import torch_training_step, training_step

LR = 1e-5  # small, since rounding moves the two sides apart
STEPS = {"chapter": 20, "wide": 1}  # in one turn: a single short one measures waking up
IGNORE = -100
COMMON = {"layers": 6, "heads": 6, "width": 384}
SMALL = {"layers": 2, "heads": 4}
ONE_WAY = {"vocab_size": 10, "context": 42}
WIDE_ONE_WAY = {"vocab_size": 1000, "context": 256, "layers": 2, "width": 384}
SIZES = {  # options of the model, rows of a batch, tokens of a row
    ("BERT", "chapter"): ({"vocab_size": 285, "context": 24, "width": 48, **SMALL}, 32, 15),
    ("BERT", "wide"): ({"vocab_size": 8192, "context": 128, **COMMON}, 8, 128),
    ("Seq2Seq", "chapter"): ({"vocab_size": 197, "source_vocab": 289, "context": 26, "width": 64,
                              **SMALL}, 64, 11),
    ("Seq2Seq", "wide"): ({"vocab_size": 8192, "source_vocab": 8192, "context": 64,
                           **COMMON, "layers": 3}, 16, 64),
    ("ViT", "chapter"): ({"image": 8, "patch": 2, "classes": 10, "width": 64, **SMALL}, 64, 17),
    ("ViT", "wide"): ({"image": 32, "patch": 4, "classes": 10, "channels": 3, **COMMON}, 16, 65),
    ("RNN", "chapter"): ({**ONE_WAY, "layers": 1, "width": 96}, 32, 42),
    ("RNN", "wide"): (WIDE_ONE_WAY, 12, 256),
    ("LSTM", "chapter"): ({**ONE_WAY, "layers": 1, "width": 48}, 32, 42),
    ("LSTM", "wide"): (WIDE_ONE_WAY, 12, 256),
    ("CNN", "chapter"): ({**ONE_WAY, "layers": 5, "width": 24}, 32, 42),
    ("CNN", "wide"): (WIDE_ONE_WAY, 12, 256),
}


def made(kind: str, size: str):
    """A model, a batch of random numbers, and how its labels are smoothed."""
    from minillm import models

    options, B, T = SIZES[kind, size]
    config = "RecurrentConfig" if kind in ("RNN", "LSTM") else f"{kind}Config"
    model = getattr(models, kind)(getattr(models, config)(**options), seed=0)
    rng, c = np.random.default_rng(1), model.config
    if kind == "ViT":
        images = rng.normal(size=(B, *c.image, c.channels)).astype(np.float32)
        return model, (images, rng.integers(0, c.classes, B)), 0.0
    ids, labels = rng.integers(0, c.vocab_size, (2, B, T))
    real = np.arange(T) < rng.integers(T - T // 4, T + 1, B)[:, None]
    if kind == "BERT":  # a quarter is asked for, as in its chapter
        asked = real & (rng.random((B, T)) < 0.25)
        return model, (ids, real, np.where(asked, labels, IGNORE)), 0.0
    if kind == "Seq2Seq":
        source = rng.integers(0, c.source_vocab, (B, T))
        return model, (source, ids, real, np.where(real, labels, IGNORE)), 0.1
    return model, (ids, labels), 0.0


def torch_loss(copy, batch, smoothing: float):
    """A function that gives PyTorch's loss of the batch."""
    import torch
    import torch.nn.functional as F

    *inputs, labels = map(torch.tensor, batch)
    if inputs[0].ndim == 4:  # images: channels first, as PyTorch has them
        inputs = [inputs[0].permute(0, 3, 1, 2).contiguous()]
    return lambda: F.cross_entropy(copy(*inputs).flatten(0, -2), labels.flatten(),
                                   ignore_index=IGNORE, label_smoothing=smoothing)


def steps(step, size: str):
    """So many steps at once; the last loss."""
    return lambda: [step() for _ in range(STEPS[size])][-1]


def minillm_family(kind: str, size: str):
    """Our steps. Threads share a batch; the rows of a short recurrence are too few to share."""
    from minillm.training import AdamW, Workers, cores

    model, batch, smoothing = made(kind, size)
    alone = size == "chapter" and kind in ("RNN", "LSTM")
    workers = Workers(model, 1 if alone else cores(), smoothing)
    return steps(training_step(workers, AdamW(model, lr=LR), batch), size)


def torch_family(kind: str, size: str):
    """The same steps in PyTorch."""
    from .torch_family import torch_copy

    model, batch, smoothing = made(kind, size)
    copy = torch_copy(model)
    return steps(torch_training_step(copy, torch_loss(copy, batch, smoothing), LR), size)


def gradient_gap(kind: str, size: str):
    """How far apart the losses and the gradients of both sides are before the first step."""
    from .torch_family import largest_gap, torch_copy

    model, batch, smoothing = made(kind, size)
    copy = torch_copy(model)
    loss_of = torch_loss(copy, batch, smoothing)

    def run() -> float:
        model.grads[:] = 0
        copy.zero_grad()
        mine = model.loss(*batch, smoothing=smoothing)
        model.backward()
        theirs = loss_of()
        theirs.backward()
        return max(abs(mine - theirs.item()) / mine, largest_gap(copy, model))

    return run
