"""Parameters, modules, and the two kinds of memory a module owns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np


class Parameter:
    """An array that is learned, and the gradient of the loss with respect to it."""

    def __init__(self, value: np.ndarray):
        self.value = value
        self.grad = np.zeros_like(value)
        self.start = 0  # where it begins in the model's vector of weights; see flatten

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __repr__(self) -> str:
        return f"Parameter{self.shape}"


class Module:
    """A part of a model. Its parameters and sub-modules are its attributes, in order."""

    def __init__(self) -> None:
        self._saved: dict[str, np.ndarray] = {}
        self._scratch: dict[str, np.ndarray] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} has no forward")

    def children(self) -> Iterator[tuple[str, Module]]:
        """Direct sub-modules with their names; those in a list are ``name.0``, ``name.1``, …"""
        for name, value in vars(self).items():
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
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
        for name, child in self.children():
            yield from child.named_parameters(f"{prefix}{name}.")

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


def flatten(model: Module) -> tuple[np.ndarray, np.ndarray, int]:
    """Move all parameters of a model into one vector, and their gradients into another.

    Returns (weights, grads, n): matrices come first, vectors (biases, gains) from index n on, so
    that weight decay applies to ``weights[:n]``. Each parameter becomes a view.
    """
    parameters = [p for _, p in model.named_parameters()]
    ordered = sorted(parameters, key=lambda p: p.value.ndim < 2)  # stable: keeps their order
    dtype = ordered[0].value.dtype
    total = sum(p.value.size for p in ordered)
    weights, grads = np.empty(total, dtype), np.zeros(total, dtype)
    start = matrices = 0
    for p in ordered:
        end = start + p.value.size
        weights[start:end] = p.value.ravel()
        p.value = weights[start:end].reshape(p.shape)
        p.grad = grads[start:end].reshape(p.shape)
        p.start = start
        start = end
        matrices += p.value.size if p.value.ndim >= 2 else 0
    return weights, grads, matrices
