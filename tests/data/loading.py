"""Batches of a loader, to be compared."""

import numpy as np


def copies(batches):
    return [(x.copy(), y.copy()) for x, y in batches]


def equal(one, other):
    return len(one) == len(other) and all(
        np.array_equal(a, b) for p, q in zip(one, other) for a, b in zip(p, q)
    )
