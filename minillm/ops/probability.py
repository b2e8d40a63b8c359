"""Softmax, its logarithm, and the cross-entropy loss."""

from __future__ import annotations

import numpy as np

from ..backends import twin
from ..checks import check, is_number


@twin
def softmax(x, out=None, axis=-1):
    """Turn scores into probabilities along an axis, the last: y_i = exp(x_i) / Σ_j exp(x_j).

    x: (..., n) -> y: (..., n), each row positive with sum 1. ``out`` may be ``x`` itself. A score
    of -inf gets probability 0; a row of nothing but -inf, or one that holds NaN or +inf, is NaN.
    Source: Bridle (1990); the shift by the maximum is discussed in Blanchard et al. (2021).
    """
    with np.errstate(invalid="ignore"):  # inf - inf is NaN, as documented
        e = np.exp(x - x.max(axis=axis, keepdims=True))  # the shift cancels; no overflow
        return np.divide(e, e.sum(axis=axis, keepdims=True), out=out)


@twin
def softmax_backward(dy, y, out=None, axis=-1):
    """Gradient of softmax along the same axis: dx_i = y_i (dy_i - Σ_j dy_j y_j).

    dy: (..., n), y: (..., n) the softmax -> dx: (..., n). ``out`` may be ``dy`` itself.
    """
    return np.multiply(y, dy - (dy * y).sum(axis=axis, keepdims=True), out=out)


def logsumexp(x, axis=-1):
    """log Σ_j exp(x_j) along an axis, the last, without overflow.  x: (..., n) -> (...)."""
    top = x.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # a row of -inf has logarithm -inf
        return (top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))).squeeze(axis)


@twin
def log_softmax(x, out=None, axis=-1):
    """Logarithm of softmax along an axis, without forming it: y_i = x_i - log Σ_j exp(x_j).

    x: (..., n) -> y: (..., n). ``out`` may be ``x`` itself.
    """
    with np.errstate(invalid="ignore"):
        shifted = x - x.max(axis=axis, keepdims=True)
        return np.subtract(shifted, np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), out=out)


@twin
def log_softmax_backward(dy, y, out=None, axis=-1):
    """Gradient of log-softmax along the same axis: dx_i = dy_i - exp(y_i) Σ_j dy_j.

    dy: (..., n), y: (..., n) the log-softmax -> dx: (..., n). ``out`` may be ``dy`` itself.
    """
    return np.subtract(dy, np.exp(y) * dy.sum(axis=axis, keepdims=True), out=out)


def cross_entropy(logits, targets, ignore_index=-100, dlogits=None, smoothing=0.0):
    """Mean of -log softmax(logits)[target] over the labels that count, and its gradient.

    logits: (..., V), targets: (...) int in [0, V) or ``ignore_index`` -> the loss, a float (nats).
    With ``dlogits`` the gradient (softmax - one_hot) / n is written there, zero in ignored rows;
    it may be ``logits`` itself, and then no second array of that size ever exists. Without a
    label that counts the loss is 0. Raises an error for labels that are no ids of the vocabulary.
    With ``smoothing`` ε the target has probability 1 - ε, and ε is spread over all V evenly.
    Source of the smoothing: Szegedy et al. (2016), section 7.
    """
    check("smoothing", smoothing, is_number(smoothing) and 0 <= smoothing < 1, "a number in [0, 1)")
    V = logits.shape[-1]
    targets = check_labels(targets, logits.shape, ignore_index)
    if dlogits is not None and dlogits.shape != logits.shape:
        raise ValueError(f"dlogits has shape {dlogits.shape}; expected logits' {logits.shape}")
    count = max(int((targets != ignore_index).sum()), 1)
    rows, labels = logits.reshape(-1, V), targets.reshape(-1)
    grad = None if dlogits is None else dlogits.reshape(-1, V)
    kept = np.flatnonzero(labels != ignore_index) if smoothing else None
    # -Σ_i q_i log p_i = lse - Σ_i q_i z_i, so only the scores' mean differs from the plain loss.
    lead = rows[kept, labels[kept]] - rows[kept].mean(axis=1) if smoothing else np.zeros(1)
    loss = float(cross_entropy_rows(rows, labels, ignore_index, 1 / count, grad))
    loss += smoothing / count * float(lead.sum(dtype=np.float64))
    if grad is not None and smoothing:
        grad[kept] -= grad.dtype.type(smoothing / count / V)
        grad[kept, labels[kept]] += grad.dtype.type(smoothing / count)
    if grad is not None and not np.may_share_memory(grad, dlogits):
        dlogits[...] = grad.reshape(dlogits.shape)  # memory with gaps: reshape made a copy
    return loss


def check_labels(targets, shape: tuple[int, ...], ignore_index: int):
    """targets as an array if it holds a label for each row of logits of that shape (..., V)."""
    targets, V = np.asarray(targets), shape[-1]
    if targets.shape != shape[:-1]:
        raise ValueError(f"targets has shape {targets.shape}, but logits {shape} need "
                         f"{shape[:-1]}: one label for each row of logits")
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets has dtype {targets.dtype}; expected integers: ids, or "
                        f"ignore_index={ignore_index} where nothing is to be predicted")
    counted = targets != ignore_index
    if not ((targets >= 0) & (targets < V) | ~counted).all():
        bad = targets[counted & ((targets < 0) | (targets >= V))][0]
        raise ValueError(f"targets holds {bad}, which is neither in [0, {V}) nor "
                         f"ignore_index={ignore_index}")
    return targets


@twin
def cross_entropy_rows(logits, labels, ignore_index, weight, dlogits=None):
    """Σ over counted rows of -weight log softmax(logits)[label]; its gradient into ``dlogits``.

    logits: (N, V), labels: (N,) -> the weighted sum. ``dlogits`` may be ``logits`` itself.
    """
    kept = np.flatnonzero(labels != ignore_index)
    log_p = log_softmax.numpy(logits)
    loss = -weight * log_p[kept, labels[kept]].sum(dtype=np.float64)
    if dlogits is not None:
        np.exp(log_p, out=log_p)
        log_p[kept, labels[kept]] -= 1  # softmax - one_hot
        dlogits[:] = 0
        dlogits[kept] = weight * log_p[kept]
    return loss
