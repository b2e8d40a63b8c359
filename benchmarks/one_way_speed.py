"""Training steps of the RNN, LSTM and CNN language models: minillm against PyTorch.

PyTorch trains both biases of a recurrent layer, minillm their sum, so that with AdamW the losses
part slowly; both rates are small.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from .row import Row, print_rows
from .training import close, compare
from .workers import Worker

SIZES = ((64, 32, 64, 200), (384, 12, 256, 1000))  # width, rows, tokens in a row, vocabulary


def rows() -> Iterator[Row]:
    if not find_spec("torch"):
        raise ImportError("PyTorch is not installed")
    for kind in ("RNN", "LSTM", "CNN"):
        for C, B, T, V in SIZES:
            yield compare(f"{kind} training step, width {C}, batch {B} × {T}", "PyTorch",
                          Worker("minillm_one_way", kind, C, B, T, V),
                          Worker("torch_one_way_step", kind, C, B, T, V), close)


if __name__ == "__main__":
    print_rows(rows())
