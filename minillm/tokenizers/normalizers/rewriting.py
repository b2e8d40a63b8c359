"""Normalizers: rewriting text before it is cut, and finding the way back to the original.

Each is called like a function, and ``aligned(text)`` gives the new text together with the span of
characters of `text` that each of its characters comes from, (n, 2) int64.
"""

from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from ..patterns.named_rules import compiled, spans, tree_of
from ..patterns.tree import can_be_empty, literal_of
from ..text.character_kinds import WHITE_SPACE, kind, lower
from .alignment import Aligned, by_character, identity, through


@dataclass(frozen=True)
class Lowercase:
    """Small letters, one character at a time: no special rule for the Greek final sigma."""

    def __call__(self, text: str) -> str:
        return lower(text)

    def aligned(self, text: str) -> Aligned:
        return by_character(text, lower)


@dataclass(frozen=True)
class StripAccents:
    """Delete every mark. It does not decompose: put NFD before it."""

    def __call__(self, text: str) -> str:
        return "".join(c for c in text if kind(c) not in "NM")

    def aligned(self, text: str) -> Aligned:
        return by_character(text, self)


@dataclass(frozen=True)
class Strip:
    """Delete white space at the left, the right or both ends."""

    left: bool = True
    right: bool = True

    def __call__(self, text: str) -> str:
        start, end = self.span(text)
        return text[start:end]

    def aligned(self, text: str) -> Aligned:
        start, end = self.span(text)
        return text[start:end], identity(text)[start:end]

    def span(self, text: str) -> tuple[int, int]:
        """What is left of the text: its start and its end."""
        start = len(text) - len(text.lstrip(WHITE_SPACE)) if self.left else 0
        end = len(text.rstrip(WHITE_SPACE)) if self.right else len(text)
        return start, max(start, end)


@cache
def how_to_find(pattern: str, dialect: str) -> tuple[str | None, bool]:
    """The one text that the pattern stands for, or None; does each match have characters?"""
    tree = tree_of(pattern, dialect)
    return literal_of(tree), not can_be_empty(tree)


@dataclass(frozen=True)
class Replace:
    """Every match of a regular expression becomes `content`, which has the span of its end.

    dialect: how the regular expression is to be read, see ``patterns.reading``.
    """

    pattern: str
    content: str
    dialect: str = "fancy"

    def __post_init__(self) -> None:
        compiled(self.pattern, self.dialect)

    def __call__(self, text: str) -> str:
        literal, simple = how_to_find(self.pattern, self.dialect)
        if literal:
            return text.replace(literal, self.content)
        if simple:
            return compiled(self.pattern, self.dialect).sub(lambda _: self.content, text)
        return self.aligned(text)[0]

    @property
    def by_character(self) -> bool:
        """Does it replace one character, whatever stands beside it?"""
        return len(how_to_find(self.pattern, self.dialect)[0] or "") == 1

    def aligned(self, text: str) -> Aligned:
        if self.by_character and len(self.content) == 1:
            return self(text), identity(text)
        found = spans(text, self.pattern, self.dialect)
        edges = np.array([0, *chain.from_iterable(found), len(text)], np.int64)  # kept, found, ...
        sizes, places = np.diff(edges), edges[:-1].copy()
        sizes[1::2] = len(self.content)
        places[1::2] = np.maximum(edges[2::2] - 1, 0)
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        new = np.repeat(np.arange(len(sizes)) % 2 == 1, sizes)
        starts = np.repeat(places, sizes) + np.where(new, 0, within)
        ends = np.where(new, np.repeat(edges[1:], sizes), starts + 1)
        kept = zip(edges[0::2].tolist(), edges[1::2].tolist())
        return self.content.join([text[i:j] for i, j in kept]), np.stack([starts, ends], 1)


@dataclass(frozen=True)
class Prepend:
    """Put a string before every text that is not empty."""

    prefix: str

    def __call__(self, text: str) -> str:
        return self.prefix + text if text else text

    def aligned(self, text: str) -> Aligned:
        sources = identity(text)
        return self(text), np.concatenate([sources[:1]] * len(self.prefix) + [sources])


@dataclass(frozen=True)
class InTurn:
    """Several normalizers, one after another."""

    steps: tuple[Any, ...]

    def __call__(self, text: str) -> str:
        for step in self.steps:
            text = step(text)
        return text

    def aligned(self, text: str) -> Aligned:
        sources = identity(text)
        for step in self.steps:
            text, found = step.aligned(text)
            sources = through(sources, found)
        return text, sources


@dataclass(frozen=True)
class Nmt:
    """Google's rules for translation: control characters go, odd white space becomes a space."""

    def __call__(self, text: str) -> str:
        return text.translate(NMT_TABLE)

    def aligned(self, text: str) -> Aligned:
        return by_character(text, self)


NMT_TABLE: dict[int, str | None] = {
    **dict.fromkeys([*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F]),
    **dict.fromkeys(map(ord, "\t\n\f\r\u1680\u2028\u2029\u2581\ufeff\ufffd"), " "),
    **dict.fromkeys(range(0x200B, 0x2010), " "),
}
