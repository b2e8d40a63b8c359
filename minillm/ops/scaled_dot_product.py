"""Scaled dot-product attention for all heads at once, with its gradient."""

from __future__ import annotations

import numpy as np

from ..backends import twin
from .dropping import dropout
from .probability import softmax, softmax_backward


def distances(q, k):
    """How many positions back each key lies from each query, (T, S); below 0 for later ones.

    Query t of T stands at position S - T + t among the S keys.
    """
    T, S = q.shape[-2], k.shape[-2]
    return np.arange(S - T, S)[:, None] - np.arange(S)


def check_groups(q, k):
    """How many heads of queries share one of keys and values; a ValueError if not equally many."""
    H, K = q.shape[1], k.shape[1]
    if K == 0 or H % K:
        raise ValueError(f"q has {H} heads and k has {K}; expected a number for k that divides the "
                         "other")
    return H // K


def spread(x, group):
    """Keys or values (B, K, S, D), each once for every head of queries that shares it."""
    return x if group == 1 else x.repeat(group, axis=1)


def check_order(causal, window, slopes, heads):
    """Raise a ValueError unless queries can look so far back, with what distance costs."""
    if slopes is not None and np.shape(slopes) != (heads,):
        raise ValueError(f"slopes has shape {np.shape(slopes)}; expected ({heads},), one for each "
                         "head")
    if window is not None and (isinstance(window, bool) or not isinstance(window, (int, np.integer))
                               or window < 1):
        raise ValueError(f"window={window!r}: expected a whole number of at least 1, or None")
    for name, value in (("window", window), ("slopes", slopes)):
        if value is not None and not causal:
            raise ValueError(f"{name}={value} counts positions back from each query, so it needs "
                             "causal=True, and queries and keys of one sequence")


def blocked(q, k, causal, mask, window):
    """Where attention is forbidden: a boolean array that broadcasts to (B, H, T, S), or None.

    With ``causal`` a query must not look at a later position, with ``window`` only at the last so
    many, its own included. ``mask`` is True where looking is allowed.
    """
    forbidden = None
    if causal:
        back = distances(q, k)
        forbidden = back < 0 if window is None else (back < 0) | (back >= window)
    if mask is not None:
        if mask.dtype != bool:
            raise TypeError(f"mask has dtype {mask.dtype}; expected bool, True where attention is "
                            "allowed")
        forbidden = ~mask if forbidden is None else forbidden | ~mask
    return forbidden


@twin
def attention(q, k, v, causal=False, mask=None, window=None, slopes=None, drop=None, out=None):
    """y = softmax(q kᵀ / √D) v: each query gets a mean of the values, weighted by likeness.

    q: (B, H, T, D), k: (B, K, S, D), v: (B, K, S, W) of any width W, usually D. K divides H,
    usually equals it: a head of keys and values serves H / K of queries. mask: bool, broadcasting
    to (B, H, T, S), True where attention is allowed; window: how far back a causal query sees, its
    own position included; slopes: (H,), what a head's score loses for each position back; drop: a
    Drop, for dropout of the weights -> y: (B, H, T, W) and what backward needs. That is the
    probabilities, (B, H, T, S), here, and their log-normalizers, (B, H, T), in the twin, which
    works block by block, passes over blocks that no query sees, and never holds a T x S matrix. A
    query that may look at nothing gets zeros.
    Sources: Vaswani et al. (2017), section 3.2.1; block-wise: Dao et al. (2022), section 3.1;
    groups: Ainslie et al. (2023), section 2.2; window: Beltagy et al. (2020), section 3.1; slopes:
    Press et al. (2022), section 3.
    """
    check_order(causal, window, slopes, q.shape[1])
    k, v = (spread(x, check_groups(q, x)) for x in (k, v))
    scores = np.matmul(q, k.swapaxes(-1, -2)) * q.dtype.type(q.shape[-1] ** -0.5)
    if slopes is not None:
        scores -= slopes[:, None, None] * distances(q, k)
    forbidden = blocked(q, k, causal, mask, window)
    if forbidden is not None:
        np.copyto(scores, -np.inf, where=forbidden)
    probs = softmax.numpy(scores, out=scores)
    if forbidden is not None:
        np.copyto(probs, 0, where=forbidden)  # rows without any key: softmax gave NaN
    weights = probs if drop is None else dropout.numpy(probs, drop)
    return np.matmul(weights, v, out=out), probs


@twin
def attention_backward(dy, q, k, v, y, saved, causal=False, mask=None, window=None, slopes=None,
                       drop=None, out=None):
    """Gradients of attention; ``y`` and ``saved`` are what ``attention`` returned.

    dy and y: (B, H, T, W) -> dq, dk, dv, of the shapes of q, k and v, written into
    ``out=(dq, dk, dv)`` when given. With P = softmax(scores) and y = P v: dv = Pᵀ dy, dP = dy vᵀ,
    dscores = P (dP - ⟨dP, P⟩), dq = dscores k / √D, dk = dscoresᵀ q / √D. Dropout, where there is
    any, acts on P in dv and on dP; heads that share a key or value add their gradients of it.
    """
    probs = saved
    if probs.ndim != 4:
        raise ValueError("saved comes from the numba twin; run attention and attention_backward "
                         "under one backend")
    dq, dk, dv = out if out is not None else (None, None, None)
    group = check_groups(q, k)
    k, v = spread(k, group), spread(v, group)
    weights = probs if drop is None else dropout.numpy(probs, drop)
    dv = add_groups(np.matmul(weights.swapaxes(-1, -2), dy), group, dv)
    dscores = np.matmul(dy, v.swapaxes(-1, -2))
    if drop is not None:
        dropout.numpy(dscores, drop, out=dscores)
    softmax_backward.numpy(dscores, probs, out=dscores)
    dscores *= q.dtype.type(q.shape[-1] ** -0.5)
    dq = np.matmul(dscores, k, out=dq)
    dk = add_groups(np.matmul(dscores.swapaxes(-1, -2), q), group, dk)
    return dq, dk, dv


def add_groups(dx, group, out):
    """Gradients (B, H, S, D) of keys or values, of which so many heads share one: (B, K, S, D)."""
    if group == 1 and out is None:
        return dx
    B, H, S, D = dx.shape
    return dx.reshape(B, H // group, group, S, D).sum(axis=2, out=out)


@twin
def attention_decode(q, keys, values, start, slopes=None, out=None):
    """Attention of one new query in each row over its cached keys and values.

    q: (B, H, D), keys and values: (B, K, S, D), start: (B,) first position that each row may see
    (the ones before are padding, or too far back); slopes: as of attention -> y: (B, H, D).
    """
    S = keys.shape[2]
    allowed = np.arange(S) >= start[:, None, None, None]
    y, _ = attention.numpy(q[:, :, None], keys, values, True, allowed, slopes=slopes)
    if out is None:
        return y[:, :, 0]
    out[:] = y[:, :, 0]
    return out
