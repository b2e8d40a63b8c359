"""Copying: symbols, a stretch of blanks, and the symbols again, a chosen distance later.

    from minillm.data.tasks import copying
    inputs, targets = copying.sequences(64, length=5, distance=40, seed=1)

A model must carry every symbol over ``distance`` steps; nothing else in the sequence helps it.
"""

from __future__ import annotations

import numpy as np

from minillm.data.loader import IGNORE_INDEX

BLANK, MARK, FIRST = 0, 1, 2  # ids: a blank, the sign to begin the copy, the first symbol
HELD = 5  # one sequence in five is held out


def vocabulary_size(symbols: int = 8) -> int:
    """The number of ids: blank, mark and the symbols."""
    return FIRST + symbols


def is_held(copied: np.ndarray) -> np.ndarray:
    """Whether rows of symbols (..., length) belong to the held-out set."""
    return copied.sum(axis=-1) % HELD == 0


def sequences(
    n: int, length: int, distance: int, symbols: int = 8, seed: int = 0, held: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """``n`` rows: inputs and next-token targets, both (n, distance + length - 1) int64.

    A row is ``length`` symbols, blanks, the mark, and the symbols again; each stands exactly
    ``distance`` places before its copy. Only the copy has targets, the rest is IGNORE_INDEX.
    Raises ValueError if ``distance`` leaves no room for the mark, or on fewer than 5 symbols
    (the two sets are told apart by the symbols' sum modulo 5).
    """
    if n < 0 or length < 1:
        raise ValueError(f"n is {n} and length {length}: give n >= 0 and length >= 1")
    if distance <= length:
        raise ValueError(f"distance is {distance}: it must be above length, which is {length}")
    if symbols < HELD:
        raise ValueError(f"symbols is {symbols}: give at least {HELD}")
    rng = np.random.default_rng(seed)
    rows = np.full((n, distance + length), BLANK, np.int64)
    rows[:, distance - 1] = MARK
    copied = np.empty((0, length), np.int64)
    while len(copied) < n:
        drawn = rng.integers(FIRST, FIRST + symbols, size=(n + 64, length))
        copied = np.concatenate([copied, drawn[is_held(drawn) == held]])
    rows[:, :length] = rows[:, distance:] = copied[:n]
    targets = rows[:, 1:].copy()
    targets[:, : distance - 1] = IGNORE_INDEX
    return rows[:, :-1].copy(), targets
