"""More pre-tokenizers: splits with the behaviors that tokenizer.json knows."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..patterns.named_rules import Span, spans, tree_of
from ..text.character_kinds import NAMES, kinds
from ..text.segments import Pieces, pieces_of

BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")


def arrange(spans: list[Span], end: int, behavior: str, invert: bool = False) -> list[Span]:
    """Pieces of 0..end from the spans that a pattern matches.

    Removed: what lies between the matches. Isolated: matches and what lies between.
    MergedWithPrevious, MergedWithNext: a match belongs to the piece before or after it.
    Contiguous: matches that touch are one. invert: matches and the rest change their parts.
    """
    parts, position = [], 0
    for span in [*spans, (end, end + 1)]:
        if span[0] > position:
            parts.append(((position, span[0]), invert))
        if span[1] <= end:
            parts.append((span, not invert))
        position = span[1]
    return [(start, stop) for start, stop in arranged(parts, behavior) if stop > start]


def arranged(parts: list[tuple[Span, bool]], behavior: str) -> list[Span]:
    """Pieces from parts of the text and whether each is a match; some may be empty."""
    if behavior == "Removed":
        return [span for span, match in parts if not match]
    if behavior == "Isolated":
        return [span for span, _ in parts]
    if behavior == "Contiguous":
        return joined_where(parts, lambda before, now: before == now)
    if behavior == "MergedWithPrevious":
        return joined_where(parts, lambda before, now: now and not before)
    turned = [((-span[1], -span[0]), match) for span, match in reversed(parts)]
    found = joined_where(turned, lambda before, now: now and not before)
    return [(-span[1], -span[0]) for span in reversed(found)]


def joined_where(parts: list[tuple[Span, bool]], together: Any) -> list[Span]:
    """Neighbours joined where ``together(match of the one before, match of this one)``."""
    made: list[Span] = []
    before: bool | None = None
    for span, match in parts:
        if before is not None and together(before, match):
            made[-1] = (made[-1][0], span[1])
        else:
            made.append(span)
        before = match
    return made


@dataclass(frozen=True)
class Cut:
    """Cut at the matches of a regular expression; see ``arrange`` for the behaviors.

    dialect: how the regular expression is to be read, see ``patterns.reading``.
    """

    pattern: str
    behavior: str = "Isolated"
    invert: bool = False
    dialect: str = "fancy"

    def __post_init__(self) -> None:
        tree_of(self.pattern, self.dialect)  # which raises an error for what cannot be read
        if self.behavior not in BEHAVIORS:
            raise ValueError(
                f"behavior={self.behavior!r} is not a behavior; use one of {', '.join(BEHAVIORS)}"
            )

    def cut(self, text: str) -> list[Span]:
        """The pieces as spans of characters."""
        found = spans(text, self.pattern, self.dialect)
        return arrange(found, len(text), self.behavior, self.invert)

    def __call__(self, text: str) -> Pieces:
        return pieces_of(text, self.cut)


def digits(each: bool = False) -> Cut:
    """Numbers (every N character, so ½ and Ⅷ too) cut from the rest, or each by itself."""
    return Cut(r"\p{N}", "Isolated" if each else "Contiguous")


def punctuation(behavior: str = "Isolated") -> Cut:
    """Cut at punctuation, as BERT knows it."""
    codes = np.flatnonzero(np.diff(kinds() == NAMES.index("P"), prepend=False, append=False))
    pairs = zip(codes[0::2].tolist(), codes[1::2].tolist())
    members = "".join(f"\\U{first:08X}-\\U{end - 1:08X}" for first, end in pairs)
    return Cut(f"[{members}]", behavior)


@dataclass(frozen=True)
class FixedLength:
    """Pieces of `length` characters; the last one may be shorter."""

    length: int = 5

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length={self.length}; expected at least 1")

    def cut(self, text: str) -> list[Span]:
        """The pieces as spans of characters."""
        step = self.length
        return [(k, min(k + step, len(text))) for k in range(0, len(text), step)]

    def __call__(self, text: str) -> Pieces:
        return pieces_of(text, self.cut)


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
