"""Several threads share a batch: each takes some of its rows, and their gradients are added.

The gradient of a mean over labels is the mean of the parts' gradients, each weighted by its number
of labels. One thread for a part of the batch waits for the others once in a step; threads that
share every matrix product wait after each one, a hundred times in a step, and on a busy machine
every wait is for the slowest. Source: Goyal et al. (2017), section 2; Dean et al. (2012).
"""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .. import ops
from ..backend import active_backend
from .evaluation import count_labels
from .optimizers import check


class Workers:
    """Adds the gradient of a batch to ``model.grads``, on ``count`` threads.

    model: as in :mod:`minillm.training`, with ``config``. With one thread the model works as it
    is. With more, each further thread has a copy of the model with gradients and buffers of its
    own, but the very same weights. Results depend on ``count`` by rounding only.
    """

    def __init__(self, model, count: int = 1):
        check("workers", count, count >= 1, "a number of threads of at least 1")
        self.models = [model, *(sharing_weights(model) for _ in range(count - 1))]
        self.pool: ThreadPoolExecutor | None = None

    def add_gradient(self, ids, targets, scale: float = 1.0) -> float:
        """Mean loss over the labels; the gradient of ``scale`` times it is added to model.grads.

        ids, targets: (B, T). A thread gets B / count rows, as nearly as whole rows allow.
        """
        targets = np.asarray(targets)
        labels = count_labels(targets)
        rows = np.array_split(np.arange(len(targets)), len(self.models))
        parts = [part for part in rows if len(part) and count_labels(targets[part])]
        if len(parts) < 2 or not threads_are_safe():
            loss = self.models[0].loss(ids, targets)
            self.models[0].backward(scale)
            return loss

        def run(model, part) -> float:
            keep_to_one_thread()
            share = count_labels(targets[part]) / labels
            loss = model.loss(ids[part], targets[part])
            model.backward(scale * share)
            return share * loss

        used = self.models[:len(parts)]
        for model in used[1:]:
            model.grads[:] = 0
        if self.pool is None:
            self.pool = ThreadPoolExecutor(len(self.models))
        with one_thread_for_products():
            loss = sum(self.pool.map(run, used, parts))
        for model in used[1:]:
            self.models[0].grads += model.grads
        return loss


def sharing_weights(model):
    """A model with the same weights, in the same memory, and gradients of its own."""
    other = type(model)(model.config, dtype=model.weights.dtype)
    other.weights = model.weights
    own = other.named_parameters()
    for (_, theirs), (_, ours) in zip(model.named_parameters(), own, strict=True):
        ours.value = theirs.value
    return other


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_thread_for_products():
    """While this holds, a matrix product is done by the thread that asks for it."""
    return blas().limit(limits=1, user_api="blas")


@functools.cache
def blas():
    """The libraries loaded into this process that have threads of their own."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def keep_to_one_thread() -> None:
    """Let the kernels that this thread calls run in it alone."""
    if active_backend() == "numba":
        import numba

        numba.set_num_threads(1)


def threads_are_safe() -> bool:
    """May several threads call kernels at once?"""
    return active_backend() != "numba" or numba_is_safe()


@functools.cache
def numba_is_safe() -> bool:
    """No with Numba's own thread pool, which it takes where OpenMP and TBB are missing."""
    import numba

    ops.sum_of_squares(np.ones(1, np.float32))  # starts the threads; only then is their kind known
    return numba.threading_layer() != "workqueue"
