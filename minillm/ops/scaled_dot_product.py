"""Scaled dot-product attention for all heads at once, with its gradient."""

from __future__ import annotations

import numpy as np

from ..backends import twin
from .probability import softmax, softmax_backward


def check_window(window, causal):
    """Raise a ValueError unless queries that see so far back can be."""
    if window is None:
        return
    if isinstance(window, bool) or not isinstance(window, (int, np.integer)) or window < 1:
        raise ValueError(f"window={window!r}: expected a whole number of at least 1, or None")
    if not causal:
        raise ValueError(f"window={window} counts positions back from each query, so it needs "
                         "causal=True, and queries and keys of one sequence")


def blocked(q, k, causal, mask, window):
    """Where attention is forbidden: a boolean array that broadcasts to (B, H, T, S), or None.

    With ``causal``, query t of T stands at position S - T + t among the S keys and must not look
    at a later one, with ``window`` only at the last so many, its own included. ``mask`` is True
    where looking is allowed.
    """
    check_window(window, causal)
    T, S = q.shape[-2], k.shape[-2]
    forbidden, back = None, np.arange(S - T, S)[:, None] - np.arange(S)
    if causal:
        forbidden = back < 0
    if window is not None:
        forbidden |= back >= window
    if mask is not None:
        if mask.dtype != bool:
            raise TypeError(f"mask has dtype {mask.dtype}; expected bool, True where attention is "
                            "allowed")
        forbidden = ~mask if forbidden is None else forbidden | ~mask
    return forbidden


@twin
def attention(q, k, v, causal=False, mask=None, window=None, out=None):
    """y = softmax(q kᵀ / √D) v: each query gets a mean of the values, weighted by likeness.

    q: (B, H, T, D), k: (B, H, S, D), v: (B, H, S, W) of any width W, usually D; mask: bool,
    broadcasting to (B, H, T, S), True where attention is allowed; window: how far back a causal
    query sees, its own position included -> y: (B, H, T, W) and what backward needs. That is the probabilities, (B, H, T, S), here, and their log-normalizers,
    (B, H, T), in the twin, which works block by block and never holds a T x S matrix. A query
    that may look at nothing gets zeros.
    Sources: Vaswani et al. (2017), section 3.2.1; block-wise: Dao et al. (2022), section 3.1.
    """
    scores = np.matmul(q, k.swapaxes(-1, -2)) * q.dtype.type(q.shape[-1] ** -0.5)
    forbidden = blocked(q, k, causal, mask, window)
    if forbidden is not None:
        np.copyto(scores, -np.inf, where=forbidden)
    probs = softmax.numpy(scores, out=scores)
    if forbidden is not None:
        np.copyto(probs, 0, where=forbidden)  # rows without any key: softmax gave NaN
    return np.matmul(probs, v, out=out), probs


@twin
def attention_backward(dy, q, k, v, y, saved, causal=False, mask=None, window=None, out=None):
    """Gradients of attention; ``y`` and ``saved`` are what ``attention`` returned.

    dy and y: (B, H, T, W) -> dq, dk, dv, written into ``out=(dq, dk, dv)`` when given. With
    P = softmax(scores) and y = P v: dv = Pᵀ dy, dP = dy vᵀ, dscores = P (dP - ⟨dP, P⟩),
    dq = dscores k / √D, dk = dscoresᵀ q / √D.
    """
    probs = saved
    if probs.ndim != 4:
        raise ValueError("saved comes from the numba twin; run attention and attention_backward "
                         "under one backend")
    dq, dk, dv = out if out is not None else (None, None, None)
    dv = np.matmul(probs.swapaxes(-1, -2), dy, out=dv)
    dscores = np.matmul(dy, v.swapaxes(-1, -2))
    softmax_backward.numpy(dscores, probs, out=dscores)
    dscores *= q.dtype.type(q.shape[-1] ** -0.5)
    dq = np.matmul(dscores, k, out=dq)
    dk = np.matmul(dscores.swapaxes(-1, -2), q, out=dk)
    return dq, dk, dv


@twin
def attention_decode(q, keys, values, start, out=None):
    """Attention of one new query in each row over its cached keys and values.

    q: (B, H, D), keys and values: (B, H, S, D), start: (B,) first valid position of each row
    (the ones before are padding) -> y: (B, H, D).
    """
    S = keys.shape[2]
    allowed = np.arange(S) >= start[:, None, None, None]
    y, _ = attention.numpy(q[:, :, None], keys, values, mask=allowed)
    if out is None:
        return y[:, :, 0]
    out[:] = y[:, :, 0]
    return out
