"""A sparse layer of 8 experts, 2 active: against transformers' Mixtral, and a dense layer."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from .row import Row, print_rows
from .training import compare
from .workers import Worker

SIZES = ((384, 1344, 3072), (384, 768, 512), (64, 128, 1024))  # width, width inside, tokens


def rows() -> Iterator[Row]:
    for C, F, N in SIZES:
        what = f"8 experts of {F}, 2 active, width {C}, {N} tokens, forward + backward"
        yield compare(what, "dense layer of equal arithmetic", Worker("minillm_experts", C, F, N),
                      Worker("minillm_dense", C, F, N), lambda a, b: True)
        if find_spec("torch") and find_spec("transformers"):
            yield compare(what, "transformers' Mixtral block", Worker("minillm_experts", C, F, N),
                          Worker("torch_experts", C, F, N),
                          lambda a, b: np.allclose(a, b, rtol=1e-4))


if __name__ == "__main__":
    print_rows(rows())
