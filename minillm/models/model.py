"""What every model has: one vector of weights, one of gradients, one computation at a time."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..nn import Module, flatten
from ..nn.module import replicate


def alone(method: Callable) -> Callable:
    """Refuse to run this method of a model while another thread is inside one of them."""

    @functools.wraps(method)
    def guarded(self: Model, *args: Any, **kwargs: Any) -> Any:
        if self._process != os.getpid():  # after a fork: the thread that held it is not here
            self._gate, self._process = threading.RLock(), os.getpid()
        entered = False
        try:
            entered = self._gate.acquire(blocking=False)
            if not entered:
                raise RuntimeError(
                    f"{method.__name__}: another thread is using this model, whose buffers serve "
                    "one computation at a time; give each thread its own model.replica(), which "
                    "has the same weights (generate, stream, beam_search and evaluate do so by "
                    "themselves)")
            return method(self, *args, **kwargs)
        finally:
            if entered:
                self._gate.release()

    return guarded


class Model(Module):
    """A network whose parameters are views of the vector ``weights``, and their gradients of
    ``grads``; the first ``decayed`` weights are those of matrices.

    A copy or an unpickled model is whole: its weights and gradients are vectors of its own. To
    assign to ``weights`` or ``grads`` makes the parameters views of the new vector.
    """

    config: Any
    decayed: int

    def __init__(self) -> None:
        super().__init__()
        self._ready()

    def _ready(self) -> None:
        """Nothing has run yet."""
        self._gate, self._process = threading.RLock(), os.getpid()
        self.dlogits: np.ndarray | None = None  # of the last loss, until something overwrites it
        self._thread: int | None = None  # that has computed it, until backward uses it up
        self._grads: Any = None  # no memory before they are asked for

    def _join(self) -> None:
        """Put all parameters into one vector."""
        self._weights, self._grads, self.decayed = flatten(self)

    @property
    def weights(self) -> np.ndarray:
        return self._weights

    @weights.setter
    def weights(self, vector: np.ndarray) -> None:
        if vector is not self._weights:  # which is what model.weights *= 2 assigns
            self._weights = self._vector("weights", vector)
            for _, parameter in self.named_parameters():
                parameter.view(weights=vector)

    @property
    def grads(self) -> np.ndarray:
        if self._grads is None:  # a replica that has not been trained yet
            self.grads = np.zeros(self._weights.size, self._weights.dtype)
        return self._grads

    @grads.setter
    def grads(self, vector: np.ndarray) -> None:
        if vector is not self._grads:
            self._grads = self._vector("grads", vector)
            for _, parameter in self.named_parameters():
                parameter.view(grads=vector)

    def _vector(self, name: str, vector: np.ndarray) -> np.ndarray:
        """``vector``, if the parameters can be views of it."""
        ours = self._weights
        if not (isinstance(vector, np.ndarray) and vector.shape == ours.shape
                and vector.dtype == ours.dtype and vector.flags.c_contiguous
                and vector.flags.writeable):
            raise ValueError(f"{name} must be an array of shape {ours.shape} and dtype "
                             f"{ours.dtype}, in one piece and writable; to change the numbers "
                             f"only, write model.{name}[:] = …")
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

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        del state["_gate"]
        return state

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
