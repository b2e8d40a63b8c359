"""Training steps and decoding: minillm against PyTorch, and its NumPy against its Numba backend."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.util import find_spec

from .row import Row, print_rows
from .workers import Worker, take_turns

ROUNDS = 9


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=2e-3)


def compare(what: str, against: str, ours: Worker, theirs: Worker, equal, rounds: int = ROUNDS,
            per: float = 1.0) -> Row:
    a, b = take_turns(ours, theirs, rounds, equal)
    ours.close()
    theirs.close()
    return Row(what, against, ours.median / per * 1e3, theirs.median / per * 1e3, "ms",
               theirs.median / ours.median,
               f"peak memory {a['peak_mb']:.0f} against {b['peak_mb']:.0f} MB")


def rows() -> Iterator[Row]:
    for B, V in ((12, 65), (8, 8192)):
        if find_spec("torch"):
            yield compare(f"GPT training step, batch {B}, V = {V:,}", "PyTorch",
                          Worker("minillm_step", B, V), Worker("torch_step", B, V), close)
        yield compare(f"GPT training step, batch {B}, V = {V:,}", "backend numpy",
                      Worker("minillm_step", B, V), Worker("minillm_step", B, V, "numpy"), close,
                      rounds=5)
    if find_spec("torch"):
        tokens = 200
        yield compare("decoding one by one, 14 M weights", "PyTorch with its cache",
                      Worker("minillm_decode", 8192, tokens), Worker("torch_decode", 8192, tokens),
                      lambda a, b: a == b, per=tokens)


if __name__ == "__main__":
    print_rows(rows())
