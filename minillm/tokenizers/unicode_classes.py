"""Classes of characters in Unicode 16, as the split rules of GPT-2 and later use them.

Python's tables change with its version (14.0 in Python 3.11), and with them would change the ids
of rare text, so the classes are frozen in ``unicode16.txt``.
"""

from functools import cache
from pathlib import Path

import numpy as np

NAMES = "OULAMNS"  # other, upper, lower, letter without case, mark, number, space


@cache
def class_table() -> np.ndarray:
    """(0x110000,) uint8: index into NAMES of the class of every code point."""
    text = Path(__file__).with_name("unicode16.txt").read_text(encoding="ascii")
    runs = [line.split() for line in text.splitlines() if not line.startswith("#")]
    starts = np.array([int(start, 16) for start, _ in runs] + [0x110000])
    kinds = np.array([NAMES.index(kind) for _, kind in runs], np.uint8)
    table = np.repeat(kinds, np.diff(starts))
    table.flags.writeable = False
    return table


def in_brackets(members: str) -> str:
    """The characters of these classes as the inside of a regular expression's ``[...]``."""
    wanted = np.isin(class_table(), [NAMES.index(name) for name in members])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]])))
    pairs = zip(edges[0::2].tolist(), edges[1::2].tolist())
    return "".join(f"\\U{first:08X}-\\U{end - 1:08X}" for first, end in pairs)
