"""Twins of :mod:`minillm.ops.optimizer_steps`: one pass over the weights instead of a dozen."""

from __future__ import annotations

import numpy as np

from .arrays import PARTS, by_rows
from .compiling import OPTIONS, njit


def sum_of_squares(x):
    x, sums = np.ascontiguousarray(x).reshape(-1), np.zeros(PARTS)
    by_rows(_sum_of_squares, (np.arange(PARTS), sums), x, numbers=x.size)
    return float(sums.sum())


def adamw(w, grad, m, v, decay, lr, beta1, beta2, eps, step):
    number = w.dtype.type
    by_rows(_adamw, (w, grad, m, v), number(1 - lr * decay), number(beta1), number(1 - beta1),
            number(beta2), number(1 - beta2), number(eps),
            number(lr / (1 - beta1**step)), number(1 / (1 - beta2**step)))


@njit(**OPTIONS)
def _sum_of_squares(parts, sums, x):
    for p in range(parts.size):
        total = 0.0
        first, end = parts[p] * x.size // PARTS, (parts[p] + 1) * x.size // PARTS
        part = x[first:end]  # counting from 0 vectorizes
        for i in range(part.size):
            total += np.float64(part[i]) * np.float64(part[i])
        sums[p] = total


@njit(**OPTIONS)
def _adamw(w, grad, m, v, keep, beta1, rest1, beta2, rest2, eps, rate, correct):
    for i in range(w.size):
        g = grad[i]
        m[i] = beta1 * m[i] + rest1 * g
        v[i] = beta2 * v[i] + rest2 * g * g
        w[i] = keep * w[i] - rate * m[i] / (np.sqrt(correct * v[i]) + eps)
