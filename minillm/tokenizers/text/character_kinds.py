"""What a character is to BERT and to normalizers: its kind, its small letter, white space."""

from functools import cache
from pathlib import Path

import numpy as np

WHITE_SPACE = "".join(  # the White_Space property, which str.strip does not follow
    map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
              0x202F, 0x205F, 0x3000])
)


@cache
def differences() -> tuple[dict[str, str], str]:
    """(small letters, characters without decomposition) where the reference differs from Python."""
    text = Path(__file__).with_name("bert_classes.txt").read_text(encoding="utf-8")
    rows = [line.split(" ") for line in text.splitlines() if line[0] in "lf"]
    small = {chr(int(row[1], 16)): row[2] for row in rows if row[0] == "lower"}
    return small, "".join(chr(int(row[1], 16)) for row in rows if row[0] == "frozen")


def lower(text: str) -> str:
    """Small letters, one character at a time: no special rule for the Greek final sigma."""
    small = differences()[0]
    if text.isascii() or not ("Σ" in text or any(c in small for c in text)):
        return text.lower()
    return "".join(small.get(c) or c.lower() for c in text)


def is_ideograph(character: str) -> bool:
    """Is it an ideograph to BERT? (2B820 to 2B91F are missed, as in the reference.)"""
    code = ord(character)
    return code >= 0x3400 and any(first <= code <= last for first, last in IDEOGRAPHS)


IDEOGRAPHS = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)


NAMES = "KDSPNMV"  # other, deleted, space, punctuation, nonspacing mark, mark, deleted space


@cache
def kinds() -> np.ndarray:
    """(0x110000,) uint8: index into NAMES of the class of every code point."""
    text = Path(__file__).with_name("bert_classes.txt").read_text(encoding="utf-8")
    runs = [line.split() for line in text.splitlines() if line[0] not in "#lf"]
    starts = np.array([int(start, 16) for start, _ in runs] + [0x110000])
    names = np.array([NAMES.index(kind[0]) for _, kind in runs], np.uint8)
    table = np.repeat(names, np.diff(starts))
    table.flags.writeable = False
    return table


def kind(character: str) -> str:
    """The kind of a character, one of NAMES."""
    return NAMES[kinds()[ord(character)]]
