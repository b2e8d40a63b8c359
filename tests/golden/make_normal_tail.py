"""Coefficients of minillm.kernels.exponential.tail_float32, highest power first.

    python tests/golden/make_normal_tail.py

Φ(-a) exp(a²/2) / t, t = 1 / (1 + 0.35 a), is interpolated at Chebyshev's nodes for a up to 13.3,
beyond which exp(-a²/2) is 0 in float32; the relative error is 4e-8.
"""

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

SLOPE, FAR, DEGREE = 0.35, 13.3, 8


def fitted(t):
    a = (1 / t - 1) / SLOPE
    return math.erfc(a * math.sqrt(0.5)) / 2 * math.exp(a * a / 2) / t


ends = [1 / (1 + SLOPE * FAR), 1]
found = Chebyshev.interpolate(np.vectorize(fitted), DEGREE, domain=ends).convert(kind=Polynomial)
print(*(f"{c:.9e}" for c in found.coef[::-1]), sep="\n")
