"""Beam search with a Seq2Seq, cached: minillm against Hugging Face transformers' generate.

The translator that comes along, one sentence at a time and many side by side; and a wider model of
random weights. Both sides have the same weights, and must write the same texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from .beam_sides import BEAMS, SENTENCES
from .row import Row, print_rows
from .training import compare
from .workers import Worker

TASKS = (("translator", "alone", f"{SENTENCES} sentences one by one, width 96"),
         ("translator", "together", f"{SENTENCES} sentences side by side, width 96"),
         ("wide", "alone", "4 sources of 32 tokens one by one, 64 tokens each, width 384"),
         ("wide", "together", "4 sources of 32 tokens side by side, 64 tokens each, width 384"))


def rows() -> Iterator[Row]:
    if not (find_spec("torch") and find_spec("transformers")):
        raise ImportError("PyTorch or transformers is not installed")
    for size, together, what in TASKS:
        row = compare(f"Seq2Seq with {BEAMS} beams, {what}", "transformers' generate (Marian)",
                      Worker("minillm_beams", size, together),
                      Worker("torch_beams", size, together), lambda a, b: a == b, rounds=5)
        yield row._replace(note=f"{row.note}; the same texts")


if __name__ == "__main__":
    print_rows(rows())
