"""Twins of :mod:`minillm.ops.negative_samples`: the steps of all places in one loop.

The vectors that meet at a place are copied side by side. The inner loops run along vectors, over
several at a time, so that what is loaded serves more than one product.
"""

from __future__ import annotations

import numpy as np

from .compiling import OPTIONS, njit
from .exponential import exp


def skip_gram(inputs, outputs, ids, start, reach, negatives, rates):
    _run(_skip_gram, inputs, outputs, ids, start, reach, negatives, rates)


def bag_of_neighbours(inputs, outputs, ids, start, reach, negatives, rates):
    _run(_bag_of_neighbours, inputs, outputs, ids, start, reach, negatives, rates)


def _run(kernel, inputs, outputs, ids, start, reach, negatives, rates):
    _check(inputs, outputs, ids, start, reach, negatives, rates)
    tables = [np.ascontiguousarray(table) for table in (inputs, outputs)]
    widest = 2 * int(reach.max(initial=1))
    kernel(*tables, *(np.ascontiguousarray(a, np.int32) for a in (ids, start, reach, negatives)),
           np.ascontiguousarray(rates), widest)
    for table, given in zip(tables, (inputs, outputs), strict=True):
        if not np.may_share_memory(table, given):
            given[...] = table


def _check(inputs, outputs, ids, start, reach, negatives, rates):
    """Raise a ValueError for what would make the loops read or write beside the arrays."""
    N, V = len(ids), len(inputs)
    if inputs.ndim != 2 or outputs.shape != inputs.shape or negatives.shape[:1] != (N,) \
            or negatives.ndim != 2 or reach.shape != (N,) or rates.shape != (N,):
        raise ValueError(f"ids holds {N} places; expected as many of reach {reach.shape}, rates "
                         f"{rates.shape} and negatives {negatives.shape}, and tables of one shape, "
                         f"not {inputs.shape} and {outputs.shape}")
    for name, words in (("ids", ids), ("negatives", negatives)):
        if words.size and not (words.min() >= 0 and words.max() < V):
            raise ValueError(f"{name} holds {words[(words < 0) | (words >= V)][0]}, outside "
                             f"[0, {V})")
    if reach.size and reach.min() < 0:
        raise ValueError(f"reach holds {reach.min()}; expected at least 0")
    if start[0] != 0 or start[-1] != N or (np.diff(start) < 0).any():
        raise ValueError(f"start goes from {start[0]} to {start[-1]}; expected places from 0 to "
                         f"{N}, none less than the one before")


@njit(**OPTIONS)
def _skip_gram(inputs, outputs, ids, start, reach, negatives, rates, widest):
    C, M = inputs.shape[1], 1 + negatives.shape[1]
    zero = inputs.dtype.type(0)
    x = np.zeros((widest + 3, C), inputs.dtype)  # three more, for fours of rows
    u = np.zeros((-(-M // 3) * 3, C), inputs.dtype)  # rows of 0 fill it up, for threes
    e = np.zeros((x.shape[0], u.shape[0]), inputs.dtype)
    around, words = np.zeros(widest, np.int64), np.zeros(M, np.int64)
    for d in range(start.size - 1):
        for i in range(start[d], start[d + 1]):
            n = _look_around(ids, start[d], start[d + 1], i, reach[i], around)
            if n == 0:
                continue
            _choose(words, ids[i], negatives, i)
            _copy_rows(inputs, around, n, x)
            _copy_rows(outputs, words, M, u)
            if n % 2:
                x[n] = zero  # the other of the last pair
            _multiply(x, u, n, e)
            _errors(e, n, words, rates[i])
            for j in range(n):
                row = around[j]
                k = 0
                while k + 6 <= u.shape[0]:  # each pass over the row in the table is dear
                    e0, e1, e2 = e[j, k], e[j, k + 1], e[j, k + 2]
                    e3, e4, e5 = e[j, k + 3], e[j, k + 4], e[j, k + 5]
                    for c in range(C):
                        inputs[row, c] -= (e0 * u[k, c] + e1 * u[k + 1, c] + e2 * u[k + 2, c]
                                           + e3 * u[k + 3, c] + e4 * u[k + 4, c]
                                           + e5 * u[k + 5, c])
                    k += 6
                if k < u.shape[0]:
                    e0, e1, e2 = e[j, k], e[j, k + 1], e[j, k + 2]
                    for c in range(C):
                        inputs[row, c] -= e0 * u[k, c] + e1 * u[k + 1, c] + e2 * u[k + 2, c]
            for k in range(M):
                row, j = words[k], 0
                while j + 4 <= n:
                    e0, e1, e2, e3 = e[j, k], e[j + 1, k], e[j + 2, k], e[j + 3, k]
                    for c in range(C):
                        outputs[row, c] -= (e0 * x[j, c] + e1 * x[j + 1, c] + e2 * x[j + 2, c]
                                            + e3 * x[j + 3, c])
                    j += 4
                for pair in range(j, n, 2):
                    e0, e1 = e[pair, k], e[pair + 1, k]
                    for c in range(C):
                        outputs[row, c] -= e0 * x[pair, c] + e1 * x[pair + 1, c]


@njit(**OPTIONS)
def _bag_of_neighbours(inputs, outputs, ids, start, reach, negatives, rates, widest):
    C, M = inputs.shape[1], 1 + negatives.shape[1]
    zero, one = inputs.dtype.type(0), inputs.dtype.type(1)
    x, dx = np.zeros(C, inputs.dtype), np.zeros(C, inputs.dtype)
    u = np.zeros((-(-M // 3) * 3, C), inputs.dtype)
    e = np.zeros((1, u.shape[0]), inputs.dtype)
    around, words = np.zeros(widest, np.int64), np.zeros(M, np.int64)
    for d in range(start.size - 1):
        for i in range(start[d], start[d + 1]):
            n = _look_around(ids, start[d], start[d + 1], i, reach[i], around)
            if n == 0:
                continue
            share = one / inputs.dtype.type(n)
            _choose(words, ids[i], negatives, i)
            _copy_rows(outputs, words, M, u)
            x[:] = zero
            for j in range(0, n - 1, 2):
                row, other = around[j], around[j + 1]
                for c in range(C):
                    x[c] += inputs[row, c] + inputs[other, c]
            if n % 2:
                row = around[n - 1]
                for c in range(C):
                    x[c] += inputs[row, c]
            for k in range(0, u.shape[0], 3):
                e0, e1, e2 = zero, zero, zero
                for c in range(C):
                    e0 += x[c] * u[k, c]
                    e1 += x[c] * u[k + 1, c]
                    e2 += x[c] * u[k + 2, c]
                e[0, k], e[0, k + 1], e[0, k + 2] = share * e0, share * e1, share * e2
            _errors(e, 1, words, rates[i])
            for k in range(u.shape[0]):
                e[0, k] *= share  # of the mean, which x is not yet, and of each neighbour
            dx[:] = zero
            for k in range(0, u.shape[0], 3):
                e0, e1, e2 = e[0, k], e[0, k + 1], e[0, k + 2]
                for c in range(C):
                    dx[c] += e0 * u[k, c] + e1 * u[k + 1, c] + e2 * u[k + 2, c]
            for j in range(n):
                row = around[j]
                for c in range(C):
                    inputs[row, c] -= dx[c]
            for k in range(M):
                row, e0 = words[k], e[0, k]
                for c in range(C):
                    outputs[row, c] -= e0 * x[c]


@njit(**OPTIONS)
def _look_around(ids, first, end, i, reach, around):
    """The words around place i, at the beginning of ``around``; returns how many."""
    n = 0
    for p in range(max(first, i - reach), min(end, i + reach + 1)):
        if p != i:
            around[n] = ids[p]
            n += 1
    return n


@njit(**OPTIONS)
def _choose(words, word, negatives, i):
    """words = the word at place i and those drawn there."""
    words[0] = word
    for k in range(negatives.shape[1]):
        words[k + 1] = negatives[i, k]


@njit(**OPTIONS)
def _copy_rows(table, which, n, rows):
    for j in range(n):
        source = which[j]
        for c in range(table.shape[1]):
            rows[j, c] = table[source, c]


@njit(**OPTIONS)
def _multiply(x, u, n, e):
    """e = x uᵀ for the first n rows of x, four rows of x and three of u at a time.

    Up to three rows of e after them are filled with what nobody reads.
    """
    zero = x.dtype.type(0)
    for j in range(0, n, 4):
        for k in range(0, u.shape[0], 3):
            a0, a1, a2, b0, b1, b2 = zero, zero, zero, zero, zero, zero
            c0, c1, c2, d0, d1, d2 = zero, zero, zero, zero, zero, zero
            for i in range(x.shape[1]):
                a, b, c, d = x[j, i], x[j + 1, i], x[j + 2, i], x[j + 3, i]
                u0, u1, u2 = u[k, i], u[k + 1, i], u[k + 2, i]
                a0 += a * u0
                a1 += a * u1
                a2 += a * u2
                b0 += b * u0
                b1 += b * u1
                b2 += b * u2
                c0 += c * u0
                c1 += c * u1
                c2 += c * u2
                d0 += d * u0
                d1 += d * u1
                d2 += d * u2
            e[j, k], e[j, k + 1], e[j, k + 2] = a0, a1, a2
            e[j + 1, k], e[j + 1, k + 1], e[j + 1, k + 2] = b0, b1, b2
            e[j + 2, k], e[j + 2, k + 1], e[j + 2, k + 2] = c0, c1, c2
            e[j + 3, k], e[j + 3, k + 1], e[j + 3, k + 2] = d0, d1, d2


@njit(**OPTIONS)
def _errors(e, n, words, rate):
    """e = rate (σ(e) - label) in the first n rows, 0 in the row after them."""
    one, zero = e.dtype.type(1), e.dtype.type(0)
    flat = e.reshape(-1)
    for q in range(n * e.shape[1]):
        flat[q] = rate / (one + exp(-flat[q]))
    for j in range(n):
        e[j, 0] -= rate
    for k in range(1, words.size):
        if words[k] == words[0]:
            for j in range(n):
                e[j, k] = zero
    if n < e.shape[0]:
        e[n] = zero
