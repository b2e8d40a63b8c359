"""Twins of :mod:`minillm.ops.probability`: one row at a time, while it is in the cache."""

from __future__ import annotations

import numpy as np

from .arrays import apart, by_rows, rows, update_rows
from .compiling import FAST, OPTIONS, njit
from .exponential import exp


def softmax(x, out=None, axis=-1):
    return _along(axis, _softmax, x, out)


def softmax_backward(dy, y, out=None, axis=-1):
    return _along(axis, _softmax_backward, dy, out, y)


def log_softmax(x, out=None, axis=-1):
    return _along(axis, _log_softmax, x, out)


def log_softmax_backward(dy, y, out=None, axis=-1):
    return _along(axis, _log_softmax_backward, dy, out, y)


def _along(axis, kernel, x, out, *others):
    """update_rows, where the rows lie along ``axis``."""
    others = tuple(apart(y, out) for y in others)
    if axis in (-1, x.ndim - 1):
        return update_rows(kernel, x, out, *others)
    out = np.empty(x.shape, x.dtype) if out is None else out
    update_rows(kernel, *[np.moveaxis(a, axis, -1) for a in (x, out, *others)])
    return out


def cross_entropy_rows(logits, labels, ignore_index, weight, dlogits=None):
    labels = np.ascontiguousarray(labels, np.int64)
    weight = logits.dtype.type(weight)
    losses = np.zeros(len(labels))
    if dlogits is None:
        by_rows(_loss_rows, (rows(logits), labels, losses), ignore_index)
        return weight * losses.sum()
    if dlogits is not logits:
        np.copyto(dlogits, logits)
    flat = rows(dlogits)
    by_rows(_loss_and_gradient, (flat, labels, losses), ignore_index, weight)
    if not np.may_share_memory(flat, dlogits):
        dlogits[...] = flat.reshape(dlogits.shape)
    return weight * losses.sum()


@njit(**OPTIONS)
def _softmax(x):
    for i in range(x.shape[0]):
        row = x[i]
        top = row[0]
        for j in range(row.size):
            top = max(top, row[j])
        total = row.dtype.type(0)
        for j in range(row.size):
            row[j] = exp(row[j] - top)
            total += row[j]
        scale = row.dtype.type(1) / total
        for j in range(row.size):
            row[j] *= scale


@njit(**OPTIONS)
def _softmax_backward(d, y):
    for i in range(y.shape[0]):
        inner = y.dtype.type(0)
        for j in range(y.shape[1]):
            inner += d[i, j] * y[i, j]
        for j in range(y.shape[1]):
            d[i, j] = y[i, j] * (d[i, j] - inner)


@njit(fastmath=FAST, error_model="numpy")
def _top_and_total(row):
    """max_j x_j and Σ_j exp(x_j - max)."""
    top = row[0]
    for j in range(row.size):
        top = max(top, row[j])
    total = row.dtype.type(0)
    for j in range(row.size):
        total += exp(row[j] - top)
    return top, total


@njit(**OPTIONS)
def _log_softmax(x):
    for i in range(x.shape[0]):
        top, total = _top_and_total(x[i])
        log_total = np.log(total)
        for j in range(x.shape[1]):
            x[i, j] = (x[i, j] - top) - log_total


@njit(**OPTIONS)
def _log_softmax_backward(d, y):
    for i in range(y.shape[0]):
        total = y.dtype.type(0)
        for j in range(y.shape[1]):
            total += d[i, j]
        for j in range(y.shape[1]):
            d[i, j] -= exp(y[i, j]) * total


@njit(**OPTIONS)
def _loss_rows(x, labels, losses, ignore_index):
    """Writes the loss of each row that counts into ``losses``."""
    for i in range(x.shape[0]):
        if labels[i] != ignore_index:
            top, total = _top_and_total(x[i])
            losses[i] = np.log(total) - (x[i, labels[i]] - top)


@njit(**OPTIONS)
def _loss_and_gradient(x, labels, losses, ignore_index, weight):
    """The same, and turns the logits x into weight (softmax - one_hot)."""
    for i in range(x.shape[0]):
        row = x[i]
        if labels[i] == ignore_index:
            row[:] = 0
            continue
        top = row[0]
        for j in range(row.size):
            top = max(top, row[j])
        score = row[labels[i]] - top
        total = row.dtype.type(0)
        for j in range(row.size):
            row[j] = exp(row[j] - top)
            total += row[j]
        losses[i] = np.log(total) - score
        scale = weight / total
        for j in range(row.size):
            row[j] *= scale
        row[labels[i]] -= weight
