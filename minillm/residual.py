"""Reading and editing the residual stream, the vector that every block adds to.

    from minillm import residual
    residual.streams(model, ids)                     # what stands in it, (L + 1, B, T, C)
    with residual.edited(model, lambda i, x: residual.project_out(x, r, out=x)):
        model.generate(prompt, 10)                   # without the direction r

Places are numbered: 0 before the first block, i after block i, i - 1/2 inside it, between its
attention and its feed-forward layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from .checks import check, is_whole
from .models import GPT
from .nn import MixtureOfExperts, Module, Stack

Edit = Callable[[float, np.ndarray], Any]

__all__ = ["ablate_weights", "add_direction", "edited", "logit_lens", "patched", "project_out",
           "stack_of", "streams", "unit"]


class Tapped(Module):
    """A norm whose input, or whose output, a function is shown; it may write into it."""

    def __init__(self, norm: Any, tap: Callable[[np.ndarray], Any], after: bool):
        super().__init__()
        self.norm, self.tap, self.after = norm, tap, after

    def forward(self, x):
        if not self.after:
            self.tap(x)
        y = self.norm(x)
        if self.after:
            self.tap(y)
        return y

    def backward(self, dy):
        return self.norm.backward(dy)


def stack_of(model: Module) -> Stack:
    """The one stack of blocks in a model, or ``model`` itself if it is a stack.

    Raises TypeError for a model without one, or with several, such as encoder and decoder.
    """
    stacks = [part for part in model.modules() if isinstance(part, Stack)]
    if len(stacks) != 1:
        raise TypeError(f"{type(model).__name__} has {len(stacks)} stacks of blocks; expected a "
                        "model with one, or the stack itself, such as model.encoder")
    return stacks[0]


@contextmanager
def edited(model: Module, edit: Edit) -> Iterator[None]:
    """In here ``edit(i, x)`` sees the stream x (B, T, C) at every place i, and may write into it.

    model: one with a stack of blocks, or the stack. Edits may be nested: the outer one acts first.
    Replicas made in here, as generate, evaluate and Workers do, are edited too, and stay so; those
    made before are not. backward takes no notice of an edit. Post-norm blocks show at their middle
    what the first norm has made.
    """
    stack = stack_of(model)
    kept: list[tuple[Any, str, Any]] = [(stack, "tap", stack.tap)]
    for block in stack:
        names = ("norm2" if block.norm_first else "norm1", "norm_cross")
        kept += [(block, name, getattr(block, name)) for name in names if hasattr(block, name)]
    numbers = {id(block): i + 0.5 for i, block in enumerate(stack)}
    try:
        stack.tap = edit if stack.tap is None else in_turn(stack.tap, edit)
        for block, name, norm in kept[1:]:
            tap: Callable = at(edit, numbers[id(block)])
            if isinstance(norm, Tapped):
                norm, tap = norm.norm, in_turn(norm.tap, tap)
            setattr(block, name, Tapped(norm, tap, after=not block.norm_first))
        yield
    finally:
        for part, name, value in kept:
            setattr(part, name, value)


def at(edit: Edit, place: float) -> Callable[[np.ndarray], Any]:
    return lambda x: edit(place, x)


def in_turn(first: Callable, second: Callable) -> Callable:
    def both(*args: Any) -> None:
        first(*args)
        second(*args)

    return both


def streams(model: Any, *inputs: Any, stack: Stack | None = None, **options: Any) -> np.ndarray:
    """What stands in the stream before the first block and after each: copies, (L + 1, B, T, C).

    inputs, options: what ``model.forward`` takes. stack: which, if the model has several. The
    model may be used meanwhile, and between a loss and its backward.
    """
    stack = stack_of(model) if stack is None else stack
    own = model.replica()
    parts = dict(zip(map(id, model.modules()), own.modules(), strict=True))
    if id(stack) not in parts:
        raise ValueError(f"stack is no part of this {type(model).__name__}")
    seen: dict[float, np.ndarray] = {}
    with edited(parts[id(stack)], lambda i, x: seen.update({i: x.copy()})):
        own.forward(*inputs, **options)
    return np.stack([seen[i] for i in range(len(stack) + 1)])


@contextmanager
def patched(model: Module, layer: int, position: Any, values: Any) -> Iterator[None]:
    """In here the stream after block ``layer`` (0: before the first) holds these ``values``.

    position: any index of T, such as 3, -1 or a list; values: (C,) or what fits x[:, position],
    such as (B, C). For ``forward``; ``extend`` counts positions from the first new token, so
    generate with ``cache=False``. Source: Meng et al. (2022), section 2.
    """
    layers = len(stack_of(model))
    check("layer", layer, is_whole(layer) and 0 <= layer <= layers, f"0 to {layers}")
    values = np.array(values)

    def edit(i: float, x: np.ndarray) -> None:
        if i == layer:
            x[:, position] = values

    with edited(model, edit):
        yield


def unit(direction: Any, width: int) -> np.ndarray:
    """A direction (C,) scaled to length 1, in float64. Raises ValueError if it has none."""
    r = np.asarray(direction, np.float64)
    if r.shape != (width,):
        raise ValueError(f"direction has shape {r.shape}; expected ({width},), the model's width")
    length = np.linalg.norm(r)
    if not (np.isfinite(length) and length > 0):
        raise ValueError(f"direction has length {length}; expected a finite one above 0")
    return r / length


def project_out(x: Any, direction: Any, out: np.ndarray | None = None) -> np.ndarray:
    """x - (x · r̂) r̂ with r̂ = r / |r|: nothing along ``direction`` is left.  (..., C) -> same.

    Source: Arditi et al. (2024), equation 4.
    """
    x = np.asarray(x)
    r = unit(direction, x.shape[-1])
    return np.subtract(x, (x @ r)[..., None] * r, out=out, casting="same_kind")


def add_direction(x: Any, direction: Any, out: np.ndarray | None = None) -> np.ndarray:
    """x + r, at every position.  (..., C) -> same. Source: Arditi et al. (2024), equation 3."""
    x = np.asarray(x)
    unit(direction, x.shape[-1])
    return np.add(x, direction, out=out, casting="same_kind")


def logit_lens(model: GPT, stream: Any) -> np.ndarray:
    """The logits if the stream at some place were the last: (..., C) -> (..., V), a copy.

    Source: nostalgebraist (2020).
    """
    if not isinstance(model, GPT):
        raise TypeError(f"model is a {type(model).__name__}; expected a GPT")
    stream = np.asarray(stream, model.weights.dtype)
    check("stream's width", stream.shape[-1], stream.shape[-1] == model.config.width,
          f"the model's, {model.config.width}")
    return model.replica().head(stream).copy()


def ablate_weights(model: GPT, direction: Any) -> GPT:
    """A copy of the model that can write nothing along ``direction`` into its stream.

    Each matrix W (…, C) that writes there becomes W - W r̂ r̂ᵀ, and its bias likewise. The copy
    computes what the model does when ``project_out`` acts at every place. It has an output layer of
    its own: a tied one is the table of embeddings, which is changed, and must not change with it.
    Raises TypeError for another model, and ValueError for post-norm blocks, whose norms write
    into the stream, or for positions added without weights.
    Source: Arditi et al. (2024), equation 5.
    """
    if not isinstance(model, GPT):
        raise TypeError(f"model is a {type(model).__name__}; expected a GPT")
    c = model.config
    if not c.norm_first:
        raise ValueError("norm_first=False: the norms write into the stream and no weight can stop "
                         "them; project_out in an edit does what this cannot")
    if c.positions == "sinusoidal":
        raise ValueError("positions='sinusoidal' write into the stream without weights; "
                         "project_out in an edit does what this cannot")
    unit(direction, c.width)
    other = type(model)(replace(c, tied=False), dtype=model.weights.dtype)
    theirs = dict(model.named_parameters())
    for name, p in other.named_parameters():
        p.value[...] = theirs[name].value if name in theirs else model.tokens.w.value.T
    for p in writers(other):
        project_out(p.value, direction, out=p.value)
    return other


def writers(model: GPT) -> Iterator[Any]:
    """The parameters whose last axis is the residual stream, to which they are added."""
    yield model.tokens.w
    if model.config.positions == "learned":
        yield model.positions.w
    for block in model.blocks:
        parts = [block.attention.proj]
        if isinstance(block.feed_forward, MixtureOfExperts):
            yield block.feed_forward.contract
            if block.feed_forward.shared is not None:
                parts.append(block.feed_forward.shared.contract)
        else:
            parts.append(block.feed_forward.contract)
        for part in parts:
            yield from (p for p in (part.w, part.b) if p is not None)
