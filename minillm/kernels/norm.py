"""Twins of :mod:`minillm.ops.norm`."""

from __future__ import annotations

import numpy as np

from .arrays import PARTS, apart, by_rows, rows, start_from
from .compiling import OPTIONS, njit


def layer_norm(x, w, b, eps=1e-5, out=None):
    return _normalize(_layer_norm, x, 2, out, w, b, x.dtype.type(eps))


def layer_norm_backward(dy, x, w, stats, dw, db, out=None):
    dx, sums = _pull_back(_layer_norm_backward, dy, x, w, stats, (2, w.size), out)
    dw += sums[0]
    db += sums[1]
    return dx


def rms_norm(x, w, eps=1e-5, out=None):
    return _normalize(_rms_norm, x, 1, out, w, x.dtype.type(eps))


def rms_norm_backward(dy, x, w, r, dw, out=None):
    dx, sums = _pull_back(_rms_norm_backward, dy, x, w, r, (w.size,), out)
    dw += sums
    return dx


def _normalize(kernel, x, size, out, *weights):
    """y, and (..., size) what backward needs of each row."""
    flat = rows(apart(x, out))
    y = rows(out) if out is not None else np.empty_like(flat)
    stats = np.empty((flat.shape[0], size), x.dtype)
    by_rows(kernel, (flat, y, stats), *weights)
    stats = stats.reshape(*x.shape[:-1], size)
    if out is None:
        return y.reshape(x.shape), stats
    if not np.may_share_memory(y, out):
        out[...] = y.reshape(out.shape)
    return out, stats


def _pull_back(kernel, dy, x, w, stats, shape, out):
    """dx, and an array of this shape, whose parts are the gradients of the weights."""
    x, dx = rows(apart(x, out)), start_from(dy, out)
    flat = rows(dx)
    sums = np.zeros((PARTS, *shape), x.dtype)
    by_rows(kernel, (np.arange(PARTS), sums), flat, x, w, rows(stats), numbers=x.size)
    if not np.may_share_memory(flat, dx):
        dx[...] = flat.reshape(dx.shape)
    return dx, sums.sum(axis=0)


@njit(**OPTIONS)
def _layer_norm(x, y, stats, w, b, eps):
    C = x.shape[1]
    n, one = x.dtype.type(C), x.dtype.type(1)
    for i in range(x.shape[0]):
        total = x.dtype.type(0)
        for j in range(C):
            total += x[i, j]
        mean = total / n
        total = x.dtype.type(0)
        for j in range(C):
            total += (x[i, j] - mean) * (x[i, j] - mean)
        rstd = one / np.sqrt(total / n + eps)
        for j in range(C):
            y[i, j] = w[j] * ((x[i, j] - mean) * rstd) + b[j]
        stats[i, 0] = mean
        stats[i, 1] = rstd


@njit(**OPTIONS)
def _layer_norm_backward(parts, sums, d, x, w, stats):
    N, C = d.shape
    n = d.dtype.type(C)
    for p in range(parts.size):
        dw, db = sums[p, 0], sums[p, 1]
        for i in range(parts[p] * N // PARTS, (parts[p] + 1) * N // PARTS):
            mean, rstd = stats[i, 0], stats[i, 1]
            mean_g = d.dtype.type(0)
            mean_gx = d.dtype.type(0)
            for j in range(C):
                xhat = (x[i, j] - mean) * rstd
                dw[j] += d[i, j] * xhat
                db[j] += d[i, j]
                d[i, j] *= w[j]
                mean_g += d[i, j]
                mean_gx += d[i, j] * xhat
            mean_g /= n
            mean_gx /= n
            for j in range(C):
                d[i, j] = rstd * (d[i, j] - mean_g - (x[i, j] - mean) * rstd * mean_gx)


@njit(**OPTIONS)
def _rms_norm(x, y, r, w, eps):
    C = x.shape[1]
    n, one = x.dtype.type(C), x.dtype.type(1)
    for i in range(x.shape[0]):
        total = x.dtype.type(0)
        for j in range(C):
            total += x[i, j] * x[i, j]
        scale = one / np.sqrt(total / n + eps)
        for j in range(C):
            y[i, j] = w[j] * (x[i, j] * scale)
        r[i, 0] = scale


@njit(**OPTIONS)
def _rms_norm_backward(parts, sums, d, x, w, r):
    N, C = d.shape
    n = d.dtype.type(C)
    for p in range(parts.size):
        for i in range(parts[p] * N // PARTS, (parts[p] + 1) * N // PARTS):
            mean_gx = d.dtype.type(0)
            for j in range(C):
                xhat = x[i, j] * r[i, 0]
                sums[p, j] += d[i, j] * xhat
                d[i, j] *= w[j]
                mean_gx += d[i, j] * xhat
            mean_gx /= n
            for j in range(C):
                d[i, j] = r[i, 0] * (d[i, j] - x[i, j] * r[i, 0] * mean_gx)
