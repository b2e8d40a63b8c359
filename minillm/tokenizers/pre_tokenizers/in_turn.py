"""Several pre-tokenizers in turn, some of which rewrite the text before they cut it.

A step that only cuts has ``cut(text)``: the pieces as spans of characters. One that rewrites has
``aligned(text)`` as well, as a normalizer has, and cuts what that gives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..normalizers.alignment import Aligned, identity, through
from ..text.byte_alphabet import CHARACTER_OF_BYTE
from ..text.segments import (
    SURROGATE,
    Continued,
    Pieces,
    as_utf8,
    byte_positions,
    mend_surrogates,
    origins,
    pieces_of,
)

Span = tuple[int, int]


def whole(text: str) -> list[Span]:
    """The text as one piece."""
    return [(0, len(text))] if text else []


@dataclass(frozen=True)
class PrefixSpace:
    """A space in front of a text that begins with none; it belongs to the first character."""

    def aligned(self, text: str) -> Aligned:
        sources = identity(text)
        if not text or text.startswith(" "):
            return text, sources
        return " " + text, np.concatenate([sources[:1], sources])

    def cut(self, text: str) -> list[Span]:
        return whole(text)

    def __call__(self, text: str) -> Pieces:
        return pieces_of(self.aligned(text)[0], self.cut)


@dataclass(frozen=True)
class CutInTurn:
    """Several pre-tokenizers: each cuts the pieces of the one before."""

    steps: tuple[Any, ...]

    @property
    def needs_place(self) -> bool:
        """Does it matter where in the whole text a part stands?"""
        return any(getattr(step, "needs_place", False) for step in self.steps)

    def run(self, text: str) -> tuple[str, np.ndarray, list[Span]]:
        """The rewritten text, the spans of `text` its characters come from, and the pieces."""
        places = origins(text)
        text, sources = without_surrogates(text)
        spans = whole(text)
        for step in flat(self.steps):
            if hasattr(step, "aligned"):
                text, found, spans = rewritten(step, text, spans, places[sources[:, 0]])
                sources = through(sources, found)
                continue
            finer = []
            for start, end in spans:
                finer += [(start + i, start + j) for i, j in cuts_of(step, text[start:end])]
            spans = finer
        return text, sources, spans

    def aligned(self, text: str) -> Aligned:
        return self.run(text)[:2]

    def __call__(self, text: str) -> Pieces:
        text, _, spans = self.run(text)
        data = np.frombuffer(as_utf8(text), np.uint8)
        edges = np.array(spans, np.int64).reshape(-1, 2)
        return Pieces(data, byte_positions(data, len(text))[edges])


def flat(steps: tuple[Any, ...]) -> list[Any]:
    """The steps, with those of sequences among them in their place."""
    return [
        plain for step in steps
        for plain in (flat(step.steps) if isinstance(step, CutInTurn) else [step])
    ]


def without_surrogates(text: str) -> Aligned:
    """The text, each pair of surrogates as its character and each lone one as U+FFFD."""
    if not SURROGATE.search(text):
        return text, identity(text)
    edges = [0]
    for match in SURROGATE.finditer(text):
        edges += [*range(edges[-1] + 1, match.start() + 1), match.end()]
    edges += range(edges[-1] + 1, len(text) + 1)
    ends = np.array(edges)
    return mend_surrogates(text), np.stack([ends[:-1], ends[1:]], 1)


def cuts_of(step: Any, text: str) -> list[Span]:
    """The pieces that a step cuts a text into; one's own pre-tokenizer need not have ``cut``."""
    if hasattr(step, "cut"):
        return step.cut(text)
    data, edges = step(text)
    return [
        (len(data[:start].tobytes().decode()), len(data[:end].tobytes().decode()))
        for start, end in edges.tolist()
    ]


def rewritten(
    step: Any, text: str, spans: list[Span], places: np.ndarray
) -> tuple[str, np.ndarray, list[Span]]:
    """The pieces rewritten, one after another: new text, spans in `text`, the new pieces."""
    made, sources, finer, length = [], [np.empty((0, 2), np.int64)], [], 0
    for start, end in spans:
        part = text[start:end]
        new, found = step.aligned(Continued(part) if places[start] else part)
        made.append(new)
        sources.append(found + start)
        finer += [(length + i, length + j) for i, j in step.cut(new)]
        length += len(new)
    return "".join(made), np.concatenate(sources), finer


TABLE = "".join(CHARACTER_OF_BYTE[byte] for byte in range(256))


def in_alphabet(text: str) -> str:
    """Each byte of the text's UTF-8 as its character.

    >>> in_alphabet("é a")
    'Ã©Ġa'
    """
    return as_utf8(text).decode("latin-1").translate(TABLE)


@dataclass(frozen=True)
class ByteAlphabet:
    """A normalizer: each byte as its character, which comes from the whole of the byte's one."""

    def __call__(self, text: str) -> str:
        return in_alphabet(text)

    def aligned(self, text: str) -> Aligned:
        from .in_turn import without_surrogates

        text, sources = without_surrogates(text)
        sizes = [len(character.encode()) for character in text]
        return in_alphabet(text), np.repeat(sources, sizes, 0)


@dataclass(frozen=True)
class InByteAlphabet:
    """The same as a pre-tokenizer, which leaves the text whole."""

    def aligned(self, text: str) -> Aligned:
        return ByteAlphabet().aligned(text)

    def cut(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))] if text else []

    def __call__(self, text: str) -> Pieces:
        return pieces_of(in_alphabet(text), self.cut)
