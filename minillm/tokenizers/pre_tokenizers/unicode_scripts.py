"""A pre-tokenizer that cuts where the script changes, as Hugging Face's UnicodeScripts does."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..text.segments import Pieces, pieces_of

ANY = 0


@cache
def script_table() -> np.ndarray:
    """(0x110000,) uint8: a number for the script of each code point, ANY for what fits to all."""
    text = Path(__file__).with_name("unicode_scripts.txt").read_text(encoding="ascii")
    runs = [line.split() for line in text.splitlines() if not line.startswith("#")]
    starts = np.array([int(start, 16) for start, _ in runs] + [0x110000])
    table = np.repeat(np.array([int(number) for _, number in runs], np.uint8), np.diff(starts))
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class UnicodeScripts:
    """Cut where the script changes; Hiragana, Katakana and Han are one.

    Spaces and unassigned characters belong to what is before them. Those that a text begins with
    are left out, as in the library.
    """

    def cut(self, text: str) -> list[tuple[int, int]]:
        """The pieces as spans of characters."""
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        numbers = script_table()[points]
        places = np.flatnonzero(numbers != ANY)
        edges = places[np.diff(numbers[places].astype(np.int64), prepend=-1) != 0].tolist()
        return list(zip(edges, [*edges[1:], len(text)]))

    def __call__(self, text: str) -> Pieces:
        return pieces_of(text, self.cut)
