"""Modules, and the two kinds of memory they own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .parameters import Parameter


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
    """Let blocks of one shape use one set of scratch buffers: they run one after another."""
    first: dict[Any, list[Module]] = {}
    for block in blocks:
        parts = list(block.modules())
        shape = tuple((type(part), *(p.shape for _, p in part.named_parameters()))
                      for part in parts)
        for mine, theirs in zip(parts, first.setdefault(shape, parts), strict=True):
            mine._scratch = theirs._scratch


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


def parameters_of(module: Module) -> dict[str, Parameter]:
    """The parameters by name; one that two parts share has the name it is first met by."""
    names: dict[Parameter, str] = {}
    for name, p in module.named_parameters():
        names.setdefault(p, name)
    return {name: p for p, name in names.items()}


def flatten(model: Module) -> tuple[np.ndarray, np.ndarray, int]:
    """Move all parameters of a model into one vector, and their gradients into another.

    Returns (weights, grads, n). First come the parameters that decay, in their order; from index
    n on the others that are trained; at the end those that are not, for which ``grads`` has no
    room. Each parameter becomes a view.
    """
    ordered = in_order(parameters_of(model).values())
    learned = sum(p.value.size for p in ordered if p.trainable)
    weights = np.concatenate([p.value.ravel() for p in ordered])
    grads = np.zeros(learned, weights.dtype)  # zeros_like would touch all of it
    for p in ordered:
        if p.trainable and p.has_grad:
            p.part(grads)[...] = p.grad
        p.view(weights, grads)
    return weights, grads, sum(p.value.size for p in ordered if p.trainable and p.decay)


def in_order(parameters: Iterable[Parameter]) -> list[Parameter]:
    """As they stand in a model's vector, each with its ``start``."""
    ordered = sorted(parameters, key=lambda p: (not p.trainable, not p.decay))  # keeps their order
    start = 0
    for p in ordered:
        p.start = start
        start += p.value.size
    return ordered
