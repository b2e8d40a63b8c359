"""What the twins' Python sides share: shapes, overlap, compile options."""

from __future__ import annotations

from typing import Any

import numpy as np

FAST: Any = {"reassoc", "contract", "nsz", "arcp"}
OPTIONS: dict[str, Any] = {"parallel": True, "fastmath": FAST, "error_model": "numpy",
                           "cache": True, "nogil": True}
INNER = OPTIONS | {"parallel": False}  # of functions that kernels call
PARTS = 16  # fixed, so that sums do not depend on the number of threads


def rows(x):
    """x (..., n) as an (N, n) C-contiguous array: a view where possible, else a copy."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def start_from(x, out):
    """Copy x into ``out`` (a new array if None) for a kernel that updates it in place."""
    if out is None:
        return np.array(x, order="C")
    if out is not x:
        np.copyto(out, x)
    return out


def update_rows(kernel, x, out, *others):
    """out = x, updated by ``kernel(rows of out, *others)``; handles an ``out`` with strides."""
    out = start_from(x, out)
    flat = rows(out)
    kernel(flat, *others)
    if not np.may_share_memory(flat, out):
        out[...] = flat.reshape(out.shape)
    return out


def apart(x, out):
    """x, or a copy of it where it shares memory with ``out``."""
    return x.copy() if out is not None and np.may_share_memory(x, out) else x
