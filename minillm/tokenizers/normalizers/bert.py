"""BERT's normalizer: what is deleted, spaced, lowered and stripped of accents."""

from dataclasses import dataclass
from functools import cache, lru_cache, partial
from unicodedata import combining

import numpy as np

from ..text.character_kinds import is_ideograph, kind, lower
from ..text.segments import mend_surrogates
from .alignment import Aligned, by_character
from .stretches import code_points, cut_out, remembered, with_neighbours
from .unicode_forms import decomposed


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
        return self.aligned(text)[0]

    def aligned(self, text: str) -> Aligned:
        marks = sorting_marks()[code_points(text)]  # whose neighbours matter
        if not marks.any():
            return by_character(text, partial(one_character, self))
        made, found = [], []
        parts, edges = cut_out(text, with_neighbours(marks, after=False))
        for k, (part, start) in enumerate(zip(parts, edges)):
            new, sources = (
                stretch(self, part) if k % 2 else by_character(part, partial(one_character, self))
            )
            made.append(new)
            found.append(sources + start)
        return "".join(made), np.concatenate(found)

    def steps(self, text: str) -> list[tuple[str, int]]:
        """(character, position in `text` that it comes from) of the normalized text."""
        pairs = [(character, k) for k, character in enumerate(mended(text))]
        if self.clean_text:
            pairs = [
                (" " if what == "S" else c, k) for c, k in pairs if (what := kind(c)) not in "DV"
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


@lru_cache(1 << 14)
def one_character(normalizer: BertNormalizer, character: str) -> str:
    """What becomes of a character that is no mark and has none behind it."""
    return "".join(new for new, _ in normalizer.steps(character))


@remembered
def stretch(normalizer: BertNormalizer, text: str) -> Aligned:
    """A few characters rewritten, and the characters (n, 2) that the new ones come from."""
    pairs = normalizer.steps(text)
    sources = np.array([source for _, source in pairs], np.int64).reshape(-1, 1)
    return "".join(character for character, _ in pairs), sources + np.arange(2)


@cache
def sorting_marks() -> np.ndarray:
    """(0x110000,) bool: is this code point a mark that decomposition may sort?"""
    table = np.zeros(0x110000, bool)
    table[[code for code in range(0x300, 0x110000) if combining(chr(code))]] = True
    table.flags.writeable = False
    return table


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
