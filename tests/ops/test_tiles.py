"""The product that attention's kernels are made of, against NumPy's."""

import numpy as np
import pytest

pytest.importorskip("numba")

from minillm.kernels.tiles import multiply_add


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "k", "m"), [(16, 1, 16), (16, 7, 48), (48, 64, 32), (64, 24, 80)])
@pytest.mark.parametrize("layout", ["rows", "columns", "view"])
def test_multiply_add(dtype, n, k, m, layout):
    rng = np.random.default_rng(n + k + m)
    a, b = rng.normal(size=(n, k)).astype(dtype), rng.normal(size=(k, m)).astype(dtype)
    wide = rng.normal(size=(n + 2, m + 3)).astype(dtype)  # what lies around c must stay
    before = wide.copy()
    if layout == "columns":
        a = np.asfortranarray(a)
    elif layout == "view":
        a = np.repeat(a, 3, axis=1)[:, ::3]
    multiply_add(a, b, wide[1:-1, 2:-1])
    wanted = before.astype(np.float64)
    wanted[1:-1, 2:-1] += a.astype(np.float64) @ b
    np.testing.assert_allclose(wide, wanted, rtol=0, atol=50 * np.finfo(dtype).eps * k**0.5)
    around = np.ones(wide.shape, bool)
    around[1:-1, 2:-1] = False
    np.testing.assert_array_equal(wide[around], before[around])
