"""Which experts a token goes to, and how much each of them counts.

N: tokens, E: experts, k: those that one token goes to. A *router* gives each token a score for
each expert; a gate turns scores into p, of which the k largest are chosen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..backends import twin
from .probability import logsumexp, softmax, softmax_backward

TINY = 1e-20  # keeps weights finite where all chosen p are 0; DeepSeek-V3 adds it as well


def sigmoid(x):
    """y = 1 / (1 + exp(-x)).  x: (...) -> y: (...)."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def sigmoid_backward(dy, y):
    """dx = dy y (1 - y)."""
    return dy * y * (1 - y)


GATES: dict[str, tuple[Callable, Callable]] = {
    "softmax": (softmax, softmax_backward), "sigmoid": (sigmoid, sigmoid_backward)}


@twin
def choose(p, k):
    """The k largest of each row, the largest first, of equals the first.  p: (N, E) -> (N, k)."""
    return np.argsort(-p, axis=1, kind="stable")[:, :k]


def weigh(p, chosen, normalize=True):
    """How much each chosen expert counts: its p, divided by their sum if ``normalize``.

    p: (N, E), chosen: (N, k) -> weights (N, k). With a softmax gate and ``normalize`` these are
    the softmax of the k scores alone, so it makes no difference which comes first.
    Sources: Shazeer et al. (2017), section 2.1; Jiang et al. (2024), section 2.1; without
    ``normalize`` Dai et al. (2024), section 2; sigmoid: DeepSeek-AI (2024), section 2.1.2.
    """
    weights = np.take_along_axis(p, chosen, axis=1)
    return weights / (weights.sum(axis=1, keepdims=True) + p.dtype.type(TINY)) if normalize \
        else weights


def weigh_backward(dweights, weights, p, chosen, normalize=True):
    """Gradient of ``weigh`` by p; which are chosen has none.  (N, k) -> dp (N, E)."""
    d = dweights
    if normalize:
        total = np.take_along_axis(p, chosen, axis=1).sum(axis=1, keepdims=True)
        d = (d - (d * weights).sum(axis=1, keepdims=True)) / (total + p.dtype.type(TINY))
    dp = np.zeros_like(p)
    np.put_along_axis(dp, chosen, d, axis=1)  # those of one token are different
    return dp


def load_balance(p, shares):
    """E Σᵢ fᵢ Pᵢ: 1 where all experts get the same, E where one gets all.

    p: (N, E); shares f: (E,), the part of all choices that each expert got; P: the mean of p over
    the tokens, with rows of sum 1.
    Source: Fedus et al. (2022), section 2.2, equation 4, for one choice per token.
    """
    return p.shape[1] * float((shares * share_rows(p).mean(axis=0)).sum())


def load_balance_backward(p, shares):
    """Gradient of ``load_balance`` by p; the shares are counts, and have none.  -> (N, E)."""
    N, E = p.shape
    q, d = share_rows(p), (E / N * shares).astype(p.dtype)
    return (d - (q * d).sum(axis=1, keepdims=True)) / (p.sum(axis=1, keepdims=True)
                                                       + p.dtype.type(TINY))


def share_rows(p):
    """p with rows of sum 1, as those of a softmax gate have already."""
    return p / (p.sum(axis=1, keepdims=True) + p.dtype.type(TINY))


def z_loss(scores):
    """Mean of (log Σ exp scores)²: it keeps scores small.  scores: (N, E).

    Source: Zoph et al. (2022), section 3, equation 5.
    """
    return float((logsumexp(scores) ** 2).mean())


def z_loss_backward(scores):
    """dscores = 2 logsumexp(scores) softmax(scores) / N.  -> (N, E)."""
    return 2 / len(scores) * logsumexp(scores)[:, None] * softmax(scores)
