"""Parameters, and where their first values come from."""

from __future__ import annotations

from typing import Any

import numpy as np


class Parameter:
    """An array that is learned, and the gradient of the loss with respect to it.

    decay: whether weight decay applies; matrices usually decay, biases and gains do not.
    trainable: a parameter that is not has no gradient, and no optimizer changes it.
    The arrays may be parts of larger ones (see flatten), so assigning to ``value`` or ``grad``
    writes into them; it does not put another array in their place.
    """

    def __init__(self, value: np.ndarray, decay: bool, trainable: bool = True):
        self._value = value
        self.decay, self.trainable = decay, trainable
        self._grad: np.ndarray | None = None  # no memory before it is asked for
        self.start = 0  # where it begins in the model's vector of weights; see flatten

    @property
    def value(self) -> np.ndarray:
        return self._value

    @value.setter
    def value(self, content: Any) -> None:
        write(self._value, content)

    @property
    def grad(self) -> np.ndarray:
        if not self.trainable:
            raise AttributeError("this parameter is not trainable: it has no gradient")
        if self._grad is None:
            self._grad = np.zeros(self.shape, self._value.dtype)
        return self._grad

    @grad.setter
    def grad(self, content: Any) -> None:
        write(self.grad, content)

    @property
    def has_grad(self) -> bool:
        """Whether there is memory for the gradient yet."""
        return self._grad is not None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape

    def replica(self) -> Parameter:
        """The same value, in the same memory, with a gradient of its own."""
        other = Parameter(self._value, self.decay, self.trainable)
        other.start = self.start
        return other

    def view(self, weights: np.ndarray | None = None, grads: np.ndarray | None = None) -> None:
        """Become a view of these vectors, from ``start`` on. What they hold is not changed."""
        if weights is not None:
            self._value = self.part(weights)
        if grads is not None and self.trainable:
            self._grad = self.part(grads)

    def part(self, vector: np.ndarray) -> np.ndarray:
        """This parameter's part of a vector that is ordered as the model's weights are."""
        return vector[self.start:self.start + self._value.size].reshape(self.shape)

    def __repr__(self) -> str:
        return f"Parameter{self.shape}"


def write(memory: np.ndarray, content: Any) -> None:
    """memory[:] = content, of the very same shape."""
    if content is not memory:  # as after p.value *= 2
        if np.shape(content) != memory.shape:
            raise ValueError(f"a parameter has shape {memory.shape}; what is assigned to it has "
                             f"{np.shape(content)}")
        memory[...] = content


class Init:
    """Makes new parameters: random ones from ``seed`` (others each time if None), or constant.

    ``seed`` may be a NumPy Generator, from which several parts of a model are drawn in turn.
    """

    def __init__(self, seed: int | np.random.Generator | None = 0, dtype: Any = np.float32):
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype={self.dtype.name}: expected float32 or float64; smaller "
                             "numbers are for files, see save_checkpoint")
        self.rng = np.random.default_rng(seed)

    def normal(self, std: float, *shape: int, decay: bool = True) -> Parameter:
        """N(0, std²)."""
        return Parameter(self.rng.normal(0, std, shape).astype(self.dtype), decay)

    def constant(self, value: float, *shape: int, decay: bool = False) -> Parameter:
        """The same number everywhere."""
        return Parameter(np.full(shape, value, self.dtype), decay)

    def given(self, values: np.ndarray, decay: bool = False) -> Parameter:
        """A copy of these numbers."""
        return Parameter(np.array(values, self.dtype), decay)


class Shapes(Init):
    """Makes parameters that have a shape and take no memory: to count, or to check a file.

    Raises ValueError for more than ``most`` of them.
    """

    def __init__(self, most: int = 1_000_000):
        super().__init__()
        self.most = most

    def normal(self, std: float, *shape: int, decay: bool = True) -> Parameter:
        return self.constant(0, *shape, decay=decay)

    def constant(self, value: float, *shape: int, decay: bool = False) -> Parameter:
        self.most -= 1
        if self.most < 0:
            raise ValueError("the model has more parameters than that")
        return Parameter(np.broadcast_to(self.dtype.type(0), shape), decay)

    def given(self, values: np.ndarray, decay: bool = False) -> Parameter:
        return self.constant(0, *values.shape, decay=decay)
