"""AdamW over a model's one vector of weights."""

from __future__ import annotations

import math

import numpy as np

from .. import ops
from ..generation.sampling import is_number


class AdamW:
    """Adam with decoupled weight decay.

    ``model`` has ``weights`` and ``grads`` (one vector each; weights beyond the end of grads are
    not trained) and ``decayed``, the number of leading weights that decay: those of matrices, not
    biases and gains. It changes this very model: copy or pickle the two together, as
    ``copy.deepcopy((model, optimizer))``.
    Source: Loshchilov & Hutter (2019), algorithm 2.
    """

    def __init__(self, model, lr: float = 3e-4, betas: tuple[float, float] = (0.9, 0.95),
                 eps: float = 1e-8, weight_decay: float = 0.1):
        check("lr", lr, is_number(lr) and lr > 0, "a positive number")
        check("betas", betas, isinstance(betas, (tuple, list)) and len(betas) == 2
              and all(is_number(beta) and 0 <= beta < 1 for beta in betas),
              "two numbers in [0, 1), in a tuple")
        check("eps", eps, is_number(eps) and eps > 0, "a positive number")
        check("weight_decay", weight_decay, is_number(weight_decay) and weight_decay >= 0,
              "a number of at least 0")
        self.model = model
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.m, self.v = (np.zeros(model.learned, model.weights.dtype) for _ in range(2))
        self.steps = 0

    def clip(self, max_norm: float) -> float:
        """Scale the gradient down to length ``max_norm`` if it is longer; returns its length.

        The length is taken over all weights together. Source: Pascanu et al. (2013), algorithm 1.
        Raises ValueError when the gradient holds NaN or infinity.
        """
        check("max_norm", max_norm, is_number(max_norm) and max_norm > 0, "a positive length")
        norm = math.sqrt(ops.sum_of_squares(self.model.grads))
        if not math.isfinite(norm):
            raise ValueError(f"the gradient's length is {norm}: a weight, an activation or the "
                             "loss has overflowed; lower the learning rate or look at the batch")
        if norm > max_norm:
            self.model.grads *= self.model.grads.dtype.type(max_norm / norm)
        return norm

    def step(self) -> None:
        """Change the weights by one step against the gradient."""
        self.steps += 1
        n = self.model.decayed
        for part, decay in ((slice(None, n), self.weight_decay), (slice(n, self.m.size), 0.0)):
            ops.adamw(self.model.weights[part], self.model.grads[part], self.m[part], self.v[part],
                      decay, self.lr, *self.betas, self.eps, self.steps)


def check(name: str, value, holds: bool, expected: str) -> None:
    """Raise a ValueError that names the argument unless ``holds``."""
    if not holds:
        raise ValueError(f"{name}={value!r}: expected {expected}")
