"""A tape: automatic differentiation in reverse, in one short file.

The models of this package do not use it; their gradients are written by hand. The tape is the
second opinion of the tests, and the subject of a chapter. It knows a dozen primitives, each with
its derivative; everything else is built from them. Values are float64.
Source: Baydin et al. (2018), section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Tensor:
    """An array that remembers how it was computed.

    ``parents`` are the tensors it came from; ``pull`` turns the gradient of the result into the
    gradient of each parent.
    """

    __array_priority__ = 1000  # array + Tensor calls Tensor.__radd__

    def __init__(self, value, parents: tuple[Tensor, ...] = (), pull: Callable | None = None):
        self.value = np.asarray(value, np.float64)
        self.parents, self.pull = parents, pull
        self.grad = np.zeros_like(self.value)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __repr__(self) -> str:
        return f"Tensor(shape={self.shape})"

    def __add__(self, other):
        a, b = self, tensor(other)
        return Tensor(a.value + b.value, (a, b), lambda g: (g, g))

    def __mul__(self, other):
        a, b = self, tensor(other)
        return Tensor(a.value * b.value, (a, b), lambda g: (g * b.value, g * a.value))

    def __pow__(self, power: float):
        return Tensor(self.value**power, (self,),
                      lambda g: (g * power * self.value ** (power - 1),))

    def __matmul__(self, other):
        a, b = self, tensor(other)
        return Tensor(a.value @ b.value, (a, b),
                      lambda g: (g @ b.value.swapaxes(-1, -2), a.value.swapaxes(-1, -2) @ g))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -tensor(other)

    def __rsub__(self, other):
        return tensor(other) - self

    def __truediv__(self, other):
        return self * tensor(other) ** -1.0

    def __rtruediv__(self, other):
        return tensor(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = np.exp(self.value)
        return Tensor(y, (self,), lambda g: (g * y,))

    def log(self):
        return Tensor(np.log(self.value), (self,), lambda g: (g / self.value,))

    def tanh(self):
        y = np.tanh(self.value)
        return Tensor(y, (self,), lambda g: (g * (1 - y * y),))

    def sum(self, axis=None, keepdims: bool = False):
        def pull(g):
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return (np.broadcast_to(g, self.shape),)

        return Tensor(self.value.sum(axis=axis, keepdims=keepdims), (self,), pull)

    def mean(self, axis=None, keepdims: bool = False):
        total = self.sum(axis, keepdims)
        return total * (total.value.size / self.value.size)

    def reshape(self, *shape: int):
        return Tensor(self.value.reshape(shape), (self,), lambda g: (g.reshape(self.shape),))

    def transpose(self, *axes: int):
        return Tensor(self.value.transpose(axes), (self,),
                      lambda g: (g.transpose(np.argsort(axes)),))

    def __getitem__(self, index):
        def pull(g):
            dx = np.zeros_like(self.value)
            np.add.at(dx, index, g)  # an index that occurs twice gets both gradients
            return (dx,)

        return Tensor(self.value[index], (self,), pull)

    def masked(self, allowed, otherwise: float):
        """The value where ``allowed``, else a constant, through which no gradient flows."""
        return Tensor(np.where(allowed, self.value, otherwise), (self,),
                      lambda g: (np.where(allowed, g, 0.0),))

    def backward(self) -> None:
        """Add d(self)/d(x) to the ``grad`` of every tensor x that this scalar depends on."""
        if self.value.size != 1:
            raise ValueError(f"backward starts from one number, not from shape {self.shape}; "
                             "take .sum() or .mean() first")
        flowing = {id(self): np.ones_like(self.value)}
        for node in reversed(in_order(self)):
            g = flowing.pop(id(node))
            node.grad = node.grad + g
            if node.pull is None:
                continue
            for parent, part in zip(node.parents, node.pull(g), strict=True):
                part = unbroadcast(part, parent.shape)
                flowing[id(parent)] = flowing.get(id(parent), 0.0) + part


def tensor(x) -> Tensor:
    """x as a Tensor."""
    return x if isinstance(x, Tensor) else Tensor(x)


def in_order(last: Tensor) -> list[Tensor]:
    """All tensors that ``last`` depends on, each after its parents."""
    order, seen = [], set()
    stack = [(last, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order


def unbroadcast(g, shape: tuple[int, ...]):
    """Sum g over the axes along which an array of this shape was repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True).reshape(shape)


def softmax(x: Tensor) -> Tensor:
    """Softmax along the last axis; the shift is a constant, since it cancels."""
    e = (x - x.value.max(axis=-1, keepdims=True)).exp()
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x: Tensor, w: Tensor, b: Tensor, eps: float = 1e-5) -> Tensor:
    """w x̂ + b along the last axis."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return w * (centred * (variance + eps) ** -0.5) + b


def gelu(x: Tensor) -> Tensor:
    """The tanh form of GELU."""
    return 0.5 * x * (1.0 + (0.7978845608028654 * (x + 0.044715 * x * x * x)).tanh())


def cross_entropy(logits: Tensor, targets) -> Tensor:
    """Mean of -log softmax(logits)[target].  logits: (N, V), targets: (N,)."""
    shifted = logits - logits.value.max(axis=-1, keepdims=True)
    scores = shifted[np.arange(len(targets)), targets]
    return (shifted.exp().sum(axis=-1).log() - scores).mean()
