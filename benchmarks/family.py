"""Training steps of BERT, Seq2Seq, ViT, RNN, LSTM and CNN: minillm against PyTorch.

Before a step is timed, the losses and all gradients of both sides are asserted equal to rounding.
PyTorch trains both biases of a recurrent layer, minillm their sum, so that with AdamW the losses
part slowly; the rate is small.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from .family_sides import SIZES, STEPS
from .row import Row, print_rows
from .training import close, compare
from .workers import Worker

ROUNDS = {"chapter": 21, "wide": 11}
MOST = 2e-5  # that gradients may differ, as a share of the largest number of their matrix


def rows() -> Iterator[Row]:
    if not find_spec("torch"):
        raise ImportError("PyTorch is not installed")
    for (kind, size), (options, B, T) in SIZES.items():
        both = Worker("gradient_gap", kind, size)
        gap = both.round()["result"]
        both.close()
        assert gap < MOST, (kind, size, gap)
        row = compare(f"{kind} training step, width {options['width']}, batch {B} × {T}",
                      "PyTorch", Worker("minillm_family", kind, size),
                      Worker("torch_family", kind, size), close, ROUNDS[size],
                      STEPS[size])
        yield row._replace(note=f"{row.note}; gradients within {gap:.0e}")


if __name__ == "__main__":
    print_rows(rows())
