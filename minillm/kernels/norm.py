"""Twins of :mod:`minillm.ops.norm`."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from .arrays import OPTIONS, PARTS, apart, rows, update_rows


def layer_norm(x, w, b, eps=1e-5, out=None):
    flat = rows(apart(x, out))
    y = rows(out) if out is not None else np.empty_like(flat)
    stats = np.empty((flat.shape[0], 2), x.dtype)
    _layer_norm(flat, w, b, x.dtype.type(eps), y, stats)
    stats = stats.reshape(*x.shape[:-1], 2)
    if out is None:
        return y.reshape(x.shape), stats
    if not np.may_share_memory(y, out):
        out[...] = y.reshape(out.shape)
    return out, stats


def layer_norm_backward(dy, x, w, stats, dw, db, out=None):
    sums = np.zeros((2, PARTS, w.size), x.dtype)
    dx = update_rows(_layer_norm_backward, dy, out, rows(apart(x, out)), w, rows(stats), sums)
    dw += sums[0].sum(axis=0)
    db += sums[1].sum(axis=0)
    return dx


@njit(**OPTIONS)
def _layer_norm(x, w, b, eps, y, stats):
    C = x.shape[1]
    n, one = x.dtype.type(C), x.dtype.type(1)
    for i in prange(x.shape[0]):
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
def _layer_norm_backward(d, x, w, stats, sums):
    N, C = d.shape
    n = d.dtype.type(C)
    for p in prange(PARTS):
        dw, db = sums[0, p], sums[1, p]
        for i in range(p * N // PARTS, (p + 1) * N // PARTS):
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
