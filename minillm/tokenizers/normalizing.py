"""Normalizers: rewriting text before it is cut, and finding the way back to the original.

Each is called like a function, and ``aligned(text)`` gives the new text together with the span of
characters of `text` that each of its characters comes from, (n, 2) int64.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
Aligned = tuple[str, np.ndarray]
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


@dataclass(frozen=True)
class UnicodeForm:
    """Unicode normalization: NFC, NFD, NFKC or NFKD, as of Unicode 12 (Hugging Face's tables)."""

    form: str

    def __call__(self, text: str) -> str:
        frozen = differences()[1]
        if text.isascii() or not any(c in text for c in frozen):
            return unicodedata.normalize(self.form, text)  # type: ignore[arg-type]
        parts = re.split(f"([{frozen}])", text)
        parts[::2] = [unicodedata.normalize(self.form, part) for part in parts[::2]]  # type: ignore
        return "".join(parts)

    def aligned(self, text: str) -> Aligned:
        changes = decompositions(text, "K" in self.form)
        if self.form.endswith("C"):
            changes = composed(changes)
        sources = np.array(places(changes), np.int64).reshape(-1, 1)
        return "".join(character for character, _ in changes), sources + np.arange(2)


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
        from .bert import kind

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
        start = len(text) - len(text.lstrip(WHITE_SPACE)) if self.left else 0
        end = len(text.rstrip(WHITE_SPACE)) if self.right else len(text)
        return start, max(start, end)


@dataclass(frozen=True)
class Replace:
    """Every match of a regular expression becomes `content`, which has the span of its end.

    dialect: how the regular expression is to be read, see ``pattern_reading``.
    """

    pattern: str
    content: str
    dialect: str = "fancy"

    def __post_init__(self) -> None:
        from .splitting import compiled

        compiled(self.pattern, self.dialect)

    def __call__(self, text: str) -> str:
        return self.aligned(text)[0]

    def aligned(self, text: str) -> Aligned:
        from .splitting import spans

        made, sources, position = [], [], 0
        for start, end in spans(text, self.pattern, self.dialect):
            made += [text[position:start], self.content]
            sources += [(k, k + 1) for k in range(position, start)]
            sources += [(max(end - 1, 0), end)] * len(self.content)
            position = end
        made.append(text[position:])
        sources += [(k, k + 1) for k in range(position, len(text))]
        return "".join(made), np.array(sources, np.int64).reshape(-1, 2)


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


def identity(text: str) -> np.ndarray:
    """Each character comes from itself: (n, 2)."""
    return np.arange(len(text))[:, None] + np.arange(2)


def through(sources: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Spans (k, 2) of characters that themselves come from `sources` (n, 2): spans of the origin.

    An empty span stands where the character after it begins, or at the end.
    """
    if not len(sources):
        return np.zeros_like(spans)
    starts = np.append(sources[:, 0], sources[-1, 1])
    first = starts[spans[:, 0]]
    last = sources[np.clip(spans[:, 1] - 1, 0, len(sources) - 1), 1]
    return np.stack([first, np.where(spans[:, 1] > spans[:, 0], last, first)], 1)


def by_character(text: str, normalizer: Callable[[str], str]) -> Aligned:
    """Alignment of a normalizer that treats each character by itself."""
    parts = [normalizer(character) for character in text]
    spans = [(k, k + 1) for k, part in enumerate(parts) for _ in part]
    return "".join(parts), np.array(spans, np.int64).reshape(-1, 2)


Placed = list[tuple[str, int]]  # characters, and the position in a text that each comes from
Changes = list[tuple[str, int]]  # characters, and by how much each makes the text longer


def decomposed(pairs: Placed) -> Placed:
    """Canonical decomposition (NFD) that keeps the positions."""
    changes = decompositions("".join(character for character, _ in pairs), False)
    return [(c, pairs[k][1]) for (c, _), k in zip(changes, places(changes))]


def places(changes: Changes) -> list[int]:
    """Which character of the old text each new one comes from, as Hugging Face's library counts.

    The new characters take the old ones one after another: 1 is put in and comes from the one
    before, 0 stands for the next one, -1 for the next two. Where marks change places, that is the
    place in which a mark now stands.
    """
    found, following = [], 0
    for _, change in changes:
        found.append(max(following - (change > 0), 0))
        following += max(1 - change, 0)
    return found


def decompositions(text: str, compatible: bool) -> Changes:
    """NFD, or NFKD if `compatible`: the first part of a character is it, the others are put in.

    Marks that follow one another are sorted by their class, as the standard wants it.
    """
    parts = [
        (part, int(n > 0)) for c in text
        for n, part in enumerate(c if c < "\x80" else parts_of(c, compatible))
    ]
    start = 0
    for end in range(1, len(parts) + 1):  # each run of marks is sorted by itself
        if end == len(parts) or order_of(parts[end]) == 0:
            if end - start > 1:
                parts[start:end] = sorted(parts[start:end], key=order_of)
            start = end
    return parts


def parts_of(character: str, compatible: bool) -> str:
    """Decomposition of one character."""
    if character in differences()[1]:
        return character
    return unicodedata.normalize("NFKD" if compatible else "NFD", character)


def order_of(pair: tuple[str, int]) -> int:
    """The combining class of a character: 0 for what is no mark."""
    return 0 if pair[0] in differences()[1] else unicodedata.combining(pair[0])


def composed(parts: Changes) -> Changes:
    """Canonical composition of decomposed text; two that become one make it shorter by one."""
    made: Changes = []
    starter, before = -1, 0
    for character, change in parts:
        order = order_of((character, change))
        touches = starter == len(made) - 1 or 0 < before < order
        if starter >= 0 and touches:
            joined = unicodedata.normalize("NFC", made[starter][0] + character)
            if len(joined) == 1 and character not in differences()[1]:
                made[starter] = (joined, made[starter][1] + change - 1)
                continue
        if order == 0:
            starter = len(made)
        before = order
        made.append((character, change))
    return made
