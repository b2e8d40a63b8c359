"""A GPT written a second time, on the tape: the referee of the gradients written by hand."""

from __future__ import annotations

import numpy as np

from .. import autograd
from ..autograd import Tensor
from .gpt import GPT


def taped_loss(model: GPT, ids, targets) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of ``model`` as a Tensor, and its parameters as Tensors, by name.

    ids, targets: (B, T). After ``loss.backward()`` each parameter's ``grad`` is the derivative
    that the model's own ``backward`` must give too.
    """
    w = {name: Tensor(p.value) for name, p in model.named_parameters()}
    x = w["tokens.w"][ids] + w["positions.w"][np.arange(ids.shape[1])]
    for i in range(model.config.layers):
        b = f"blocks.{i}."
        if model.config.norm_first:
            x = x + attend(w, b + "attention", norm(w, b + "norm1", x), model.config.heads)
            x = x + feed(w, b + "feed_forward", norm(w, b + "norm2", x))
        else:
            x = norm(w, b + "norm1", x + attend(w, b + "attention", x, model.config.heads))
            x = norm(w, b + "norm2", x + feed(w, b + "feed_forward", x))
    if model.config.norm_first:
        x = norm(w, "norm", x)
    logits = (x @ w["tokens.w"].transpose(1, 0)).reshape(ids.size, -1)
    return autograd.cross_entropy(logits, targets.reshape(-1)), w


def attend(w: dict[str, Tensor], name: str, x: Tensor, H: int) -> Tensor:
    """Causal self-attention.  x: (B, T, C) -> (B, T, C)."""
    B, T, C = x.shape
    qkv = (x @ w[name + ".qkv.w"] + w[name + ".qkv.b"]).reshape(B, T, 3, H, C // H)
    q, k, v = (qkv.transpose(2, 0, 3, 1, 4)[i] for i in range(3))
    scores = (q @ k.transpose(0, 1, 3, 2)) * (C // H) ** -0.5
    probs = autograd.softmax(scores.masked(np.tril(np.ones((T, T), bool)), -1e9))
    y = (probs @ v).transpose(0, 2, 1, 3).reshape(B, T, C)
    return y @ w[name + ".proj.w"] + w[name + ".proj.b"]


def feed(w: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """The feed-forward layer.  x: (B, T, C) -> (B, T, C)."""
    h = autograd.gelu(x @ w[name + ".expand.w"] + w[name + ".expand.b"])
    return h @ w[name + ".contract.w"] + w[name + ".contract.b"]


def norm(w: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Layer norm.  x: (B, T, C) -> (B, T, C)."""
    return autograd.layer_norm(x, w[name + ".w"], w[name + ".b"])
