"""Attention forward and backward, causal, without and with a window: against PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from .attention_sides import B, D, H, T
from .row import Row, print_rows
from .training import compare
from .workers import Worker

WINDOWS = (0, 256)  # 0: none


def close(a, b) -> bool:
    return np.allclose(a, b, rtol=1e-3, atol=1e-5)


def rows() -> Iterator[Row]:
    if not find_spec("torch"):
        raise ImportError("PyTorch is not installed")
    for window in WINDOWS:
        what = f"attention forward + backward, causal, B = {B}, H = {H}, T = {T:,}, D = {D}"
        yield compare(what + (f", window {window}" if window else ""),
                      "PyTorch's scaled_dot_product_attention",
                      Worker("minillm_attention", window), Worker("torch_attention", window),
                      close, rounds=21)


if __name__ == "__main__":
    print_rows(rows())
