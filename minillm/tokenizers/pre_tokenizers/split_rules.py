"""Cutting by a rule: a regular expression, or every character.

``split`` is the definition. The rules with names (``patterns/named_rules.py``) also have scanners
in ``scanning_kernel.py`` that walk over the UTF-8 bytes and find the same pieces.
"""

from dataclasses import dataclass

import numpy as np

from ..patterns.named_rules import Span, matches, rule_of, spans, tree_of
from ..text.segments import Pieces, as_utf8, pieces_of

GAPS = ("drop", "keep", "refuse")


def split(text: str, pattern: str) -> list[str]:
    """The pieces of `text` that match `pattern`, a name in PATTERNS or a regular expression.

    >>> split("I'm  here", "gpt2")
    ['I', "'m", ' ', ' here']
    """
    return [match.group() for match in matches(text, pattern)]


@dataclass(frozen=True)
class Split:
    """Cut text into the pieces that match a named rule or a regular expression.

    gaps: what becomes of the text between two matches. ``drop`` it, as where words are wanted and
    white space is not; ``keep`` it as a piece; or ``refuse`` text with gaps, for rules that must
    not lose any. dialect: how the regular expression is to be read, see ``patterns.reading``.
    """

    pattern: str
    gaps: str = "drop"
    dialect: str = "fancy"

    def __post_init__(self) -> None:
        tree_of(self.pattern, self.dialect)  # which raises an error for what cannot be read
        if self.gaps not in GAPS:
            raise ValueError(f"gaps={self.gaps!r}; use one of {', '.join(GAPS)}")

    @property
    def rule(self) -> str | None:
        """Name of the rule if there is a scanner for it."""
        return rule_of(self.pattern, self.dialect)

    def cut(self, text: str) -> list[Span]:
        """The pieces as spans of characters."""
        found = spans(text, self.pattern, self.dialect)
        if self.gaps == "refuse":
            refuse_gaps(text, found, self.pattern)
        if self.gaps == "keep":
            return fill_gaps(found, len(text))
        return [span for span in found if span[1] > span[0]]

    def __call__(self, text: str) -> Pieces:
        return pieces_of(text, self.cut)


def refuse_gaps(text: str, found: list[Span], pattern: str) -> None:
    """Raise a ValueError if a character of the text is in none of the spans."""
    position = 0
    for start, end in [*found, (len(text), len(text))]:
        if start > position:
            raise ValueError(
                f"text has {text[position:start]!r:.60} at character {position}, which "
                f"pattern={pattern!r:.200} does not match, so that it would be lost; add an "
                "alternative for it, for example |."
            )
        position = end


def fill_gaps(spans: list[Span], end: int) -> list[Span]:
    """The spans, and between them what they leave out of 0..end; empty spans only cut."""
    full, position = [], 0
    for start, stop in [*spans, (end, end)]:
        if start > position:
            full.append((position, start))
        if stop > start:
            full.append((start, stop))
        position = stop
    return full


@dataclass(frozen=True)
class Characters:
    """Each character is a piece."""

    def cut(self, text: str) -> list[tuple[int, int]]:
        """The pieces as spans of characters."""
        return [(k, k + 1) for k in range(len(text))]

    def __call__(self, text: str) -> Pieces:
        data = np.frombuffer(as_utf8(text), np.uint8)
        edges = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
        return Pieces(data, np.stack([edges[:-1], edges[1:]], 1).astype(np.int64))
