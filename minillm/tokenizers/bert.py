"""What BERT does to text before WordPiece: clean, set ideographs apart, strip accents, lower-case.

Devlin et al. 2019; the rules are those of Hugging Face's BertNormalizer and BertPreTokenizer, with
the Unicode tables they carry (``bert_classes.txt``).
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .normalizing import Aligned, decomposed, is_ideograph, lower
from .segments import Pieces, mend_surrogates, pieces_of

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
    return NAMES[kinds()[ord(character)]]


@dataclass(frozen=True)
class BertNormalizer:
    """Rewrite text in four steps, each of which can be turned off.

    clean_text: delete control characters, make all white space U+0020. chinese_characters: a space
    on both sides of each ideograph. strip_accents: decompose and delete accents (None: as
    `lowercase`). lowercase: small letters.
    """

    clean_text: bool = True
    chinese_characters: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True

    def __call__(self, text: str) -> str:
        if text.isascii() and self.clean_text:  # the same, faster
            text = text.translate(plain_table())
            return text.lower() if self.lowercase else text
        return "".join(character for character, _ in self.steps(text))

    def aligned(self, text: str) -> Aligned:
        pairs = self.steps(text)
        sources = np.array([source for _, source in pairs], np.int64).reshape(-1, 1)
        return "".join(character for character, _ in pairs), sources + np.arange(2)

    def steps(self, text: str) -> list[tuple[str, int]]:
        """(character, position in `text` that it comes from) of the normalized text."""
        pairs = [(character, k) for k, character in enumerate(mended(text))]
        if self.clean_text:
            pairs = [
                (" " if kind(c) == "S" else c, k) for c, k in pairs if kind(c) not in "DV"
            ]
        if self.chinese_characters:
            pairs = [
                (part, k) for c, k in pairs for part in (f" {c} " if is_ideograph(c) else c)
            ]
        if self.lowercase if self.strip_accents is None else self.strip_accents:
            pairs = [(c, k) for c, k in decomposed(pairs) if kind(c) != "N"]
        if self.lowercase:
            pairs = [(small, k) for c, k in pairs for small in lower(c)]
        return pairs


@cache
def plain_table() -> dict[int, str | None]:
    """What clean_text makes of ASCII control characters: a space, or nothing (None)."""
    return {code: " " if kind(chr(code)) == "S" else None for code in [*range(32), 127]}


def mended(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, at the same positions."""
    if text.isascii():
        return text
    fixed = mend_surrogates(text)
    return fixed if len(fixed) == len(text) else "".join(
        "\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text
    )


@dataclass(frozen=True)
class BertSplit:
    """Pieces between white space, each punctuation character a piece of its own."""

    def cut(self, text: str) -> list[tuple[int, int]]:
        """The pieces as spans of characters."""
        return [match.span() for match in piece_pattern().finditer(text)]

    def __call__(self, text: str) -> Pieces:
        return pieces_of(text, self.cut)


@cache
def piece_pattern() -> Any:
    """One punctuation character, or as many others as there are."""
    import regex

    runs = np.flatnonzero(np.diff(kinds(), prepend=255, append=255))
    inside: dict[str, str] = {"P": "", "SV": ""}
    for first, end in pairwise(runs.tolist()):
        for names in inside:
            if NAMES[kinds()[first]] in names:
                inside[names] += f"\\U{first:08X}-\\U{end - 1:08X}"
    return regex.compile(f"[{inside['P']}]|[^{inside['P']}{inside['SV']}]+")
