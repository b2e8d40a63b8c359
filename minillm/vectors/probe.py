"""What a vector says, as far as a straight line can read it: a linear probe."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import ops
from ..checks import check, is_number, is_positive, is_whole


class LinearProbe(NamedTuple):
    """Logits x W + b of K classes.  w: (C, K), b: (K,)."""

    w: np.ndarray
    b: np.ndarray

    def logits(self, x):
        """x: (..., C) -> (..., K)."""
        x = np.asarray(x, np.float64)
        if x.shape[-1:] != self.w.shape[:1]:
            raise ValueError(f"x has shape {x.shape}; expected vectors of width {len(self.w)}")
        return ops.linear(x, self.w, self.b)

    def predict(self, x):
        """The most probable class of each vector.  x: (..., C) -> (...)."""
        return self.logits(x).argmax(axis=-1)

    def accuracy(self, x, labels) -> float:
        """Share of the vectors whose class it names: give those that it has not learned from."""
        labels = np.asarray(labels)
        found = self.predict(x)
        if found.shape != labels.shape or not labels.size:
            raise ValueError(f"labels has shape {labels.shape}; expected {found.shape}, a class "
                             "for each vector, of one or more")
        return float((found == labels).mean())


def linear_probe(x, labels, steps: int = 500, lr: float = 0.05, decay: float = 0.01
                 ) -> LinearProbe:
    """Multinomial logistic regression: softmax of x W + b, by AdamW on all vectors at once.

    x: (N, C), labels: (N,) int, each class from 0 to K - 1 at least once. The rate falls from lr
    to nothing in a straight line. It starts from zero, so one x gives one probe. Columns are
    measured by their own mean and spread while it learns.
    Source: Alain & Bengio (2017), section 3.
    """
    x, labels = np.asarray(x, np.float64), np.asarray(labels)
    check("steps", steps, is_whole(steps) and steps >= 1, "a whole number of at least 1")
    check("lr", lr, is_positive(lr), "a positive number")
    check("decay", decay, is_number(decay) and decay >= 0, "a number of at least 0")
    if x.ndim != 2 or labels.shape != x.shape[:1] or not len(x):
        raise ValueError(f"x has shape {x.shape} and labels {labels.shape}; expected (N, C) and "
                         "(N,), N at least 1")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels has dtype {labels.dtype}; expected integers")
    if not np.isfinite(x).all():
        raise ValueError("x holds NaN or infinity")
    if labels.min() < 0:
        raise ValueError(f"labels holds {labels.min()}; expected classes from 0 on")
    counts = np.bincount(labels, minlength=2)
    if not counts.all():
        raise ValueError(f"labels has no example of class {int(counts.argmin())}, of "
                         f"{len(counts)}; expected some of each")
    mean, spread = x.mean(axis=0), x.std(axis=0)
    # A column that is constant up to rounding says nothing, and is not to be blown up.
    spread = np.where(spread > 1e-9 * (1 + np.abs(mean)), spread, np.inf)
    x = (x - mean) / spread
    C, K = x.shape[1], len(counts)
    weights, gradient, m, v = (np.zeros((C + 1) * K) for _ in range(4))
    w, b = weights[:C * K].reshape(C, K), weights[C * K:]
    dw, db = gradient[:C * K].reshape(C, K), gradient[C * K:]
    for step in range(1, steps + 1):
        gradient[:] = 0
        logits = ops.linear(x, w, b)
        ops.cross_entropy(logits, labels, dlogits=logits)
        ops.linear_backward(logits, x, w, dw, db)
        rate = lr * (1 - (step - 1) / steps)
        for part, share in ((slice(C * K), decay), (slice(C * K, None), 0.0)):
            ops.adamw(weights[part], gradient[part], m[part], v[part], share, rate, 0.9, 0.99,
                      1e-8, step)
    w = w / spread[:, None]
    return LinearProbe(w, b - mean @ w)
