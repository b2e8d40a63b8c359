"""Attention's twins need memory that grows with T, not with T × T."""

import tracemalloc

import numpy as np
import pytest

from minillm import ops
from minillm.ops import Drop

T, D = 8192, 16
WHOLE = T * T * 4  # bytes of all scores of one head in float32

OPTIONS = {
    "causal": {"causal": True},
    "window": {"causal": True, "window": 256},
    "self": {},
    "padding": {"mask": (np.arange(T) < T - 100)[None, None, None]},
    "slopes": {"causal": True, "slopes": np.array([0.5, 0.25], np.float32)},
    "dropout": {"causal": True, "drop": Drop(0.1, 7, 0)},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_forward_and_backward_keep_no_matrix_of_scores(name):
    """The peak of both stays under a tenth of one matrix of scores; grouped heads, two queries."""
    pytest.importorskip("numba")
    options = OPTIONS[name]
    rng = np.random.default_rng(0)
    q = rng.normal(size=(1, 2, T, D)).astype(np.float32)
    k, v = rng.normal(size=(2, 1, 1, T, D)).astype(np.float32)
    small = {key: value for key, value in options.items() if key != "mask"}
    y, kept = ops.attention.numba(q[:, :, :64], k[:, :, :64], v[:, :, :64], **small)
    ops.attention_backward.numba(y, q[:, :, :64], k[:, :, :64], v[:, :, :64], y, kept, **small)
    tracemalloc.start()
    try:
        y, kept = ops.attention.numba(q, k, v, **options)
        ops.attention_backward.numba(y, q, k, v, y, kept, **options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < WHOLE / 10, f"{peak / 1e6:.0f} MB"


def test_the_definition_would_fail():
    """The measure sees a matrix of scores where there is one."""
    q = np.zeros((1, 1, 1024, D), np.float32)
    tracemalloc.start()
    try:
        ops.attention.numpy(q, q, q, causal=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak > 1024 * 1024 * 4
