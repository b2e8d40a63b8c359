"""What every model has: one vector of weights, one of gradients, one computation at a time."""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..nn import Drops, Init, Module, Parameter, Shapes, flatten, in_order, parameters_of
from ..nn.experts import MixtureOfExperts, training
from ..nn.module import replicate

_inside: dict[int, int] = {}  # id of a model -> the thread that is inside one of its methods


def alone(method: Callable) -> Callable:
    """Refuse to run this method of a model while another thread is inside one of them."""

    @functools.wraps(method)
    def guarded(self: Model, *args: Any, **kwargs: Any) -> Any:
        key, me = id(self), threading.get_ident()
        if _inside.get(key) == me:  # within another of its methods, which leaves for both
            return method(self, *args, **kwargs)
        try:
            if _inside.setdefault(key, me) != me:
                raise RuntimeError(
                    f"{method.__name__}: another thread is using this model, whose buffers serve "
                    "one computation at a time; give each thread its own model.replica(), which "
                    "has the same weights (generate, stream, beam_search and evaluate do so by "
                    "themselves)")
            return method(self, *args, **kwargs)
        finally:  # without a call, since after a call Ctrl-C may come
            try:
                if _inside[key] == me:
                    del _inside[key]
            except KeyError:
                pass  # interrupted before it was inside, or the other thread has left

    return guarded


def _start_anew() -> None:
    """In a forked child only the thread that forked exists; others are inside no more."""
    for key, thread in list(_inside.items()):
        if thread != threading.get_ident():
            del _inside[key]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


@functools.cache
def inputs_of(logits: Callable) -> tuple[int, float, str]:
    """How many inputs a model's ``logits`` needs, how many it can take, and their names."""
    _, *taken = inspect.signature(logits).parameters.values()
    taken = [p for p in taken if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
    several = any(p.kind == p.VAR_POSITIONAL for p in taken)
    least = sum(p.default is p.empty and p.kind != p.VAR_POSITIONAL for p in taken)
    return least, float("inf") if several else len(taken), ", ".join(str(p) for p in taken)


KINDS: dict[str, type[Model]] = {}  # by the name that checkpoints hold


class Model(Module):
    """A network with a loss, whose parameters are views of one vector, ``weights``, and their
    gradients of another, ``grads``. The first ``decayed`` weights are those that decay; weights
    beyond the end of ``grads`` are not trained.

    A subclass names its ``Config``, a dataclass, and says three things: ``build(config, init)``
    makes the parts, as attributes; ``logits(*inputs)`` runs them; ``logits_backward(dlogits)``
    runs them back. A batch is a tuple of arrays with a row for each example: the inputs, and at
    the end the targets.

    A copy or an unpickled model is whole: its weights and gradients are vectors of its own. To
    assign to ``weights`` or ``grads`` makes the parameters views of the new vector.
    """

    Config: type
    config: Any
    decayed: int
    dlogits: np.ndarray | None  # of the last loss, until something overwrites it

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "Config" in vars(cls):  # a subclass without one is of its parent's kind
            KINDS[cls.__name__] = cls

    def __init__(self, config: Any, seed: int | None = 0, dtype: Any = np.float32) -> None:
        super().__init__()
        self.config = config
        self.build(config, Init(seed, dtype))
        self._ready()
        self._join()

    def build(self, config: Any, init: Init) -> None:
        """Make the parts, with parameters from ``init``."""
        raise TypeError(f"{type(self).__name__} has no build(config, init)")

    def logits(self, *inputs: Any, **options: Any) -> np.ndarray:
        """Scores for each thing that may be predicted, (..., V), borrowed until the next call."""
        raise TypeError(f"{type(self).__name__} has no logits(*inputs)")

    def logits_backward(self, dlogits: np.ndarray) -> None:
        """Add the gradient of the loss to ``grads``, given its gradient by the logits."""
        raise TypeError(f"{type(self).__name__} has no logits_backward(dlogits)")

    @classmethod
    def kind(cls) -> str:
        """The name under which checkpoints know this kind of model."""
        return next(base.__name__ for base in cls.__mro__ if "Config" in vars(base))

    @classmethod
    def shapes(cls, config: Any, most: int = 1_000_000) -> dict[str, Parameter]:
        """The parameters of a model of these sizes by name, without memory for their values.

        Each knows its shape and its ``start`` in the vector of weights. Raises ValueError where
        there are more than ``most``.
        """
        model = object.__new__(cls)
        Module.__init__(model)
        model.config = config
        model.build(config, Shapes(most))
        parameters = parameters_of(model)
        in_order(parameters.values())
        return parameters

    @classmethod
    def size(cls, config: Any) -> int:
        """Number of weights of a model of these sizes, without memory for them."""
        return sum(p.value.size for p in cls.shapes(config).values())

    @alone
    def forward(self, *inputs: Any, **options: Any) -> np.ndarray:
        """The logits; see ``logits``. They are borrowed: the next call writes over them."""
        self.dlogits = None  # its memory is about to be used again
        return self.logits(*inputs, **options)

    @alone
    def loss(self, *batch: Any, ignore_index: int = -100, smoothing: float = 0.0, seed: Any = None,
             row: int = 0, **options: Any) -> float:
        """Mean cross-entropy (nats per label) of a batch, (*inputs, targets).

        Targets equal to ``ignore_index`` do not count. smoothing: see ops.cross_entropy. The logits
        are turned into their own gradient, so that ``backward`` can follow. seed, row: say what a
        model with dropout drops, see Drops; it wants another seed for each step.
        """
        if self.drops:
            if seed is None:
                raise ValueError("seed=None, but this model has dropout, of which the loss is only "
                                 "for training: pass seed=…, such as the number of the step; to "
                                 "measure a loss, use evaluate, which drops nothing")
            options["drops"] = Drops(seed, row)
        if not batch:
            raise ValueError("batch has no parts; expected inputs and at the end targets")
        *inputs, targets = batch
        self.check_inputs(len(inputs))
        targets = np.asarray(targets)
        if targets.dtype.kind not in "iu":
            raise TypeError(f"targets has dtype {targets.dtype}; expected integers: ids, or "
                            f"ignore_index={ignore_index} where nothing is to be predicted")
        mixtures = self.mixtures()
        with training(mixtures):
            logits = self.forward(*inputs, **options)
        loss = ops.cross_entropy(logits, targets, ignore_index, logits, smoothing)
        self.keep_dlogits(logits)
        return loss + sum(part.penalty for part in mixtures)

    @alone
    def backward(self, scale: float = 1.0) -> None:
        """Add the gradient of ``scale`` times the last loss to ``grads``.

        Raises RuntimeError unless that loss is what this model has computed last.
        """
        dlogits = self.take_dlogits(scale)
        for part in self.mixtures():
            part.scale = scale
        self.logits_backward(dlogits)

    @property
    def drops(self) -> bool:
        """Does training drop something, so that ``loss`` needs a seed?"""
        return getattr(self.config, "dropout", 0) > 0

    def mixtures(self) -> list[MixtureOfExperts]:
        """The mixtures of experts in it, whose routers add to the loss of training."""
        if getattr(self.config, "experts", None) is None:
            return []
        return [part for part in self.modules() if isinstance(part, MixtureOfExperts)]

    def check_inputs(self, count: int) -> None:
        """Raise a ValueError unless ``logits`` takes so many inputs, a batch without targets."""
        least, most, names = inputs_of(type(self).logits)
        if not least <= count <= most:
            raise ValueError(f"batch has {count} inputs and then targets; {type(self).__name__} "
                             f"takes as inputs ({names})")

    def _ready(self) -> None:
        """Nothing has run yet."""
        self.dlogits = None
        self._thread: int | None = None  # that has computed it, until backward uses it up
        self._grads: Any = None  # no memory before they are asked for

    def _join(self) -> None:
        """Put all parameters into one vector."""
        self._weights, self._grads, self.decayed = flatten(self)

    @property
    def learned(self) -> int:
        """How many of the weights are trained; they are the first."""
        return sum(p.value.size for p in parameters_of(self).values() if p.trainable)

    @property
    def weights(self) -> np.ndarray:
        return self._weights

    @weights.setter
    def weights(self, vector: np.ndarray) -> None:
        if vector is not self._weights:  # which is what model.weights *= 2 assigns
            self._weights = self._vector("weights", vector, self._weights.size)
            for _, parameter in self.named_parameters():
                parameter.view(weights=vector)

    @property
    def grads(self) -> np.ndarray:
        if self._grads is None:  # a replica that has not been trained yet
            self.grads = np.zeros(self.learned, self._weights.dtype)
        return self._grads

    @grads.setter
    def grads(self, vector: np.ndarray) -> None:
        if vector is not self._grads:
            self._grads = self._vector("grads", vector, self.learned)
            for _, parameter in self.named_parameters():
                parameter.view(grads=vector)

    def _vector(self, name: str, vector: np.ndarray, size: int) -> np.ndarray:
        """``vector``, if the parameters can be views of it."""
        dtype = self._weights.dtype
        if not (isinstance(vector, np.ndarray) and vector.shape == (size,)
                and vector.dtype == dtype and vector.flags.c_contiguous
                and vector.flags.writeable):
            raise ValueError(f"{name} must be an array of shape {(size,)} and dtype {dtype}, in "
                             "one piece and writable; to change the numbers only, write "
                             f"model.{name}[:] = …")
        return vector

    def replica(self) -> Any:
        """The same weights, in the same memory, with gradients and buffers of its own.

        Every thread, and every computation that goes on beside another, takes one. It costs a
        fraction of a millisecond: memory is taken when it is used.
        """
        other = replicate(self)
        other._ready()
        other._weights = self._weights
        return other

    def __copy__(self) -> Any:
        return self.replica()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._ready()
        self._join()

    def keep_dlogits(self, dlogits: np.ndarray) -> None:
        """Remember the gradient of the loss just computed by its logits, for backward."""
        _ = self.grads  # from here on the parameters' gradients are parts of it
        self.dlogits, self._thread = dlogits, threading.get_ident()

    def take_dlogits(self, scale: float) -> np.ndarray:
        """The gradient of the last loss by its logits, times ``scale``, for backward to use up."""
        thread, self._thread = self._thread, None
        if self.dlogits is None or thread is None:
            raise RuntimeError("backward needs a loss just before it: there has been none yet, or "
                               "a forward, extend or backward since has used the same memory; "
                               "compute the loss again")
        if thread != threading.get_ident():
            raise RuntimeError("backward: the last loss was computed by another thread; train in "
                               "one thread, or give each its own model.replica()")
        if scale != 1:
            self.dlogits *= scale
        return self.dlogits
