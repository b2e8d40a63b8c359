"""Optimizers over a model's one vector of weights."""

from __future__ import annotations

import math

import numpy as np

from .. import ops
from ..checks import check, is_number, is_positive
from ..nn import parameters_of

BLOCKS = {"blocks", "encoder", "decoder"}  # what models call their stacks of layers


class Optimizer:
    """What all optimizers share: the model, the rate, the memory, and clipping.

    ``model`` has ``weights`` and ``grads`` (one vector each; weights beyond the end of grads are
    not trained) and ``decayed``, the number of leading weights that decay: those of matrices, not
    biases and gains. It changes this very model: copy or pickle the two together, as
    ``copy.deepcopy((model, optimizer))``.

    A subclass names its ``memory``, vectors of the size of the gradient that begin at zero, and
    says what ``update`` does to some of the weights. Checkpoints store the memory.
    """

    memory: tuple[str, ...] = ()

    def __init__(self, model, lr: float, weight_decay: float):
        check("lr", lr, is_positive(lr), "a positive number")
        check("weight_decay", weight_decay, is_number(weight_decay) and weight_decay >= 0,
              "a number of at least 0")
        self.model, self.lr, self.weight_decay, self.steps = model, lr, weight_decay, 0
        for name in self.memory:
            setattr(self, name, np.zeros(model.learned, model.weights.dtype))

    def clip(self, max_norm: float) -> float:
        """Scale the gradient down to length ``max_norm`` if it is longer; returns its length.

        The length is taken over all weights together. Source: Pascanu et al. (2013), algorithm 1.
        Raises ValueError when the gradient holds NaN or infinity.
        """
        check("max_norm", max_norm, is_positive(max_norm), "a positive length")
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
        for part, decay in ((slice(None, n), self.weight_decay),
                            (slice(n, self.model.learned), 0.0)):
            vectors = (getattr(self, name)[part] for name in self.memory)
            self.update(self.model.weights[part], self.model.grads[part], *vectors, decay)

    def update(self, w, grad, *memory_and_decay) -> None:
        """Change ``w``, some of the weights, and their parts of the memory, in place."""
        raise TypeError(f"{type(self).__name__} has no update(w, grad, *memory, decay)")


class SGD(Optimizer):
    """Gradient descent; with ``momentum`` the gradients of earlier steps go on acting.

    nesterov: the gradient is taken to act where momentum is about to lead. ``weight_decay`` adds
    that share of the weights to the gradient.
    Sources: Polyak (1964); Sutskever et al. (2013), equations 3 and 4, in PyTorch's form.
    """

    memory = ("m",)

    def __init__(self, model, lr: float, momentum: float = 0.0, nesterov: bool = False,
                 weight_decay: float = 0.0):
        super().__init__(model, lr, weight_decay)
        check("momentum", momentum, is_share(momentum), "a number in [0, 1)")
        check("nesterov", nesterov, not nesterov or momentum > 0, "False without momentum")
        self.momentum, self.nesterov = momentum, nesterov

    def update(self, w, grad, m, decay):
        ops.sgd(w, grad, m, decay, self.lr, self.momentum, self.nesterov)


class RMSProp(Optimizer):
    """Each weight's step is divided by the root of the mean square of its recent gradients.

    Source: Tieleman & Hinton (2012), lecture 6.5.
    """

    memory = ("v",)

    def __init__(self, model, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0.0):
        super().__init__(model, lr, weight_decay)
        check("alpha", alpha, is_share(alpha), "a number in [0, 1)")
        check("eps", eps, is_positive(eps), "a positive number")
        self.alpha, self.eps = alpha, eps

    def update(self, w, grad, v, decay):
        ops.rmsprop(w, grad, v, decay, self.lr, self.alpha, self.eps)


class AdamW(Optimizer):
    """Adam with decoupled weight decay.  Source: Loshchilov & Hutter (2019), algorithm 2."""

    memory = ("m", "v")
    m: np.ndarray
    v: np.ndarray

    def __init__(self, model, lr: float = 3e-4, betas: tuple[float, float] = (0.9, 0.95),
                 eps: float = 1e-8, weight_decay: float = 0.1):
        super().__init__(model, lr, weight_decay)
        check("betas", betas, are_shares(betas), "two numbers in [0, 1), in a tuple")
        check("eps", eps, is_positive(eps), "a positive number")
        self.betas, self.eps = betas, eps

    def update(self, w, grad, m, v, decay):
        ops.adamw(w, grad, m, v, decay, self.lr, *self.betas, self.eps, self.steps)


class Adam(AdamW):
    """Adam; ``weight_decay`` adds that share of the weights to the gradient, as in SGD.

    Source: Kingma & Ba (2015), algorithm 1.
    """

    def __init__(self, model, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0):
        super().__init__(model, lr, betas, eps, weight_decay)

    def update(self, w, grad, m, v, decay):
        if decay:
            grad = grad + grad.dtype.type(decay) * w
        super().update(w, grad, m, v, 0.0)


class Lion(Optimizer):
    """Every weight moves by the same length, in the direction of a mixture of gradients.

    Source: Chen et al. (2023), algorithm 2.
    """

    memory = ("m",)

    def __init__(self, model, lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99),
                 weight_decay: float = 0.0):
        super().__init__(model, lr, weight_decay)
        check("betas", betas, are_shares(betas), "two numbers in [0, 1), in a tuple")
        self.betas = betas

    def update(self, w, grad, m, decay):
        ops.lion(w, grad, m, decay, self.lr, *self.betas)


class Muon(AdamW):
    """The matrices of the blocks move by an orthogonal matrix near their momentum; AdamW the rest.

    lr: of the matrices; adam_lr: of all other weights, and its ratio to lr stays when a schedule
    changes lr. See ops.muon.
    Source: Jordan et al. (2024), Muon: an optimizer for hidden layers.
    """

    def __init__(self, model, lr: float = 0.02, momentum: float = 0.95, adam_lr: float = 3e-4,
                 betas: tuple[float, float] = (0.9, 0.95), eps: float = 1e-8,
                 weight_decay: float = 0.1):
        super().__init__(model, lr, betas, eps, weight_decay)
        check("momentum", momentum, is_share(momentum), "a number in [0, 1)")
        check("adam_lr", adam_lr, is_positive(adam_lr), "a positive number")
        self.momentum, self.ratio = momentum, adam_lr / lr
        if not any(is_hidden_matrix(name, p) for name, p in parameters_of(model).items()):
            raise ValueError(f"model={type(model).__name__} has no matrices in blocks, which Muon "
                             "is for; use AdamW")

    def step(self) -> None:
        self.steps += 1
        for name, p in parameters_of(self.model).items():  # a table that is also the output: once
            decay = self.weight_decay if p.decay else 0.0
            if is_hidden_matrix(name, p):
                ops.muon(p.value, p.grad, p.part(self.m), decay, self.lr, self.momentum)
            elif p.trainable:
                vectors = (x.reshape(-1) for x in (p.value, p.grad, p.part(self.m), p.part(self.v)))
                ops.adamw(*vectors, decay, self.lr * self.ratio, *self.betas, self.eps, self.steps)


def is_hidden_matrix(name: str, parameter) -> bool:
    """Whether it is a matrix of a block, not a table or the output layer."""
    inside = not BLOCKS.isdisjoint(name.split("."))
    return parameter.trainable and parameter.value.ndim == 2 and inside


def is_share(value) -> bool:
    """Whether it is a number in [0, 1)."""
    return is_number(value) and 0 <= value < 1


def are_shares(values) -> bool:
    """Whether they are two numbers in [0, 1), in a tuple or list."""
    return isinstance(values, (tuple, list)) and len(values) == 2 and all(map(is_share, values))
