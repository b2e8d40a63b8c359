"""Parameters, modules, and the two kinds of memory a module owns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np


class Parameter:
    """An array that is learned, and the gradient of the loss with respect to it.

    The arrays may be parts of larger ones (see flatten), so assigning to ``value`` or ``grad``
    writes into them; it does not put another array in their place.
    """

    def __init__(self, value: np.ndarray):
        self._value = value
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
        other = Parameter(self._value)
        other.start = self.start
        return other

    def view(self, weights: np.ndarray | None = None, grads: np.ndarray | None = None) -> None:
        """Become a view of these vectors, from ``start`` on. What they hold is not changed."""
        part = slice(self.start, self.start + self._value.size)
        if weights is not None:
            self._value = weights[part].reshape(self.shape)
        if grads is not None:
            self._grad = grads[part].reshape(self.shape)

    def __repr__(self) -> str:
        return f"Parameter{self.shape}"


def write(memory: np.ndarray, content: Any) -> None:
    """memory[:] = content, of the very same shape."""
    if content is not memory:  # as after p.value *= 2
        if np.shape(content) != memory.shape:
            raise ValueError(f"a parameter has shape {memory.shape}; what is assigned to it has "
                             f"{np.shape(content)}")
        memory[...] = content


class Module:
    """A part of a model. Its parameters and sub-modules are its attributes, in order.

    Arrays that are attributes are memory of the last forward. Copies and pickles leave them out.
    """

    def __init__(self) -> None:
        self._saved: dict[str, np.ndarray] = {}
        self._scratch: dict[str, np.ndarray] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} has no forward")

    # Attributes are listed before they are looked through: another thread may add one meanwhile.

    def children(self) -> Iterator[tuple[str, Module]]:
        """Direct sub-modules with their names; those in a list are ``name.0``, ``name.1``, …"""
        for name, value in list(vars(self).items()):
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{i}", item

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        yield self
        for _, child in self.children():
            yield from child.modules()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names, such as ``blocks.0.attention.qkv.w``."""
        for name, value in list(vars(self).items()):
            if isinstance(value, Parameter):
                yield prefix + name, value
        for name, child in self.children():
            yield from child.named_parameters(f"{prefix}{name}.")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in list(vars(self).items())
                if name not in ("_saved", "_scratch") and not isinstance(value, np.ndarray)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._saved, self._scratch = {}, {}

    def __copy__(self) -> Module:
        return replicate(self)

    def saved(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """A buffer of this module's own; it holds its content until backward."""
        return buffer(self._saved, name, shape, dtype)

    def scratch(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """A buffer that the same place in other blocks may overwrite (see share_scratch)."""
        return buffer(self._scratch, name, shape, dtype)


def buffer(pool: dict[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: Any
           ) -> np.ndarray:
    """An array of this shape in memory that is kept between calls; it grows, never shrinks.

    Fresh memory costs a page fault for every 4 kB, which for large arrays is dearer than the
    arithmetic done on them.
    """
    size = math.prod(shape)
    kept = pool.get(name)
    if kept is None or kept.size < size or kept.dtype != dtype:
        kept = pool[name] = np.empty(size, dtype)
    return kept[:size].reshape(shape)


def share_scratch(blocks: list) -> None:
    """Let equal blocks use one set of scratch buffers: they run one after another."""
    for block in blocks[1:]:
        for first, other in zip(blocks[0].modules(), block.modules(), strict=True):
            other._scratch = first._scratch


def replicate(module: Module, made: dict[int, Any] | None = None) -> Any:
    """The same module a second time: its parameters' values in the same memory, but buffers and
    gradients of its own, so that both may run at once.

    ``made`` holds what has been replicated already, by id: parameters and scratch that parts of
    the first share are shared by the same parts of the second.
    """
    made = {} if made is None else made
    other = object.__new__(type(module))
    state = vars(other)
    for name, value in module.__getstate__().items():
        if isinstance(value, Module):
            value = replicate(value, made)
        elif isinstance(value, Parameter):
            value = made.setdefault(id(value), value.replica())
        elif isinstance(value, list):
            value = [replicate(item, made) if isinstance(item, Module) else item for item in value]
        state[name] = value
    other._saved, other._scratch = {}, made.setdefault(id(module._scratch), {})
    return other


def flatten(model: Module) -> tuple[np.ndarray, np.ndarray, int]:
    """Move all parameters of a model into one vector, and their gradients into another.

    Returns (weights, grads, n): matrices come first, vectors (biases, gains) from index n on, so
    that weight decay applies to ``weights[:n]``. Each parameter becomes a view.
    """
    parameters = [p for _, p in model.named_parameters()]
    ordered = sorted(parameters, key=lambda p: p.value.ndim < 2)  # stable: keeps their order
    weights = np.concatenate([p.value.ravel() for p in ordered])
    grads = np.zeros(weights.size, weights.dtype)  # zeros_like would touch all of it
    start = 0
    for p in ordered:
        p.start = start
        if p.has_grad:
            grads[start:start + p.value.size] = p.grad.ravel()
        p.view(weights, grads)
        start += p.value.size
    return weights, grads, sum(p.value.size for p in ordered if p.value.ndim >= 2)
