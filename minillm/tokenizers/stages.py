"""The small stages around the model: pre-tokenizers and decoders.

Each is a frozen dataclass that is called like a function, so that it can be compared, printed and
written to a file.
"""

from dataclasses import dataclass

import numpy as np

from .segments import Pieces, as_utf8
from .splitting import Span, compiled, rule_of, spans

GAPS = ("drop", "keep", "refuse")


@dataclass(frozen=True)
class Split:
    """Cut text into the pieces that match a named rule or a regular expression.

    gaps: what becomes of the text between two matches. ``drop`` it, as where words are wanted and
    white space is not; ``keep`` it as a piece; or ``refuse`` text with gaps, for rules that must
    not lose any. dialect: how the regular expression is to be read, see ``pattern_reading``.
    """

    pattern: str
    gaps: str = "drop"
    dialect: str = "fancy"

    def __post_init__(self) -> None:
        compiled(self.pattern, self.dialect)
        if self.gaps not in GAPS:
            raise ValueError(f"gaps={self.gaps!r}; use one of {', '.join(GAPS)}")

    @property
    def rule(self) -> str | None:
        """Name of the rule if there is a scanner for it."""
        return rule_of(self.pattern, self.dialect)

    def __call__(self, text: str) -> Pieces:
        data = np.frombuffer(as_utf8(text), np.uint8)
        text = data.tobytes().decode()
        found = spans(text, self.pattern, self.dialect)
        if self.gaps == "refuse":
            refuse_gaps(text, found, self.pattern)
        if self.gaps == "keep":
            found = fill_gaps(found, len(text))
        return Pieces(data, byte_edges(data, [span for span in found if span[1] > span[0]]))


def byte_edges(data: np.ndarray, spans: list[Span]) -> np.ndarray:
    """Byte positions (n, 2) of spans of characters in UTF-8 data."""
    edges = np.array(spans, np.int64).reshape(-1, 2)
    inner = (data & 0xC0) == 0x80
    if inner.any():
        edges = np.append(np.flatnonzero(~inner), len(data))[edges]
    return edges


def refuse_gaps(text: str, found: list[Span], pattern: str) -> None:
    """Raise a ValueError if a character of the text is in none of the spans."""
    position = 0
    for start, end in [*found, (len(text), len(text))]:
        if start > position:
            raise ValueError(
                f"text has {text[position:start]!r:.60} at character {position}, which "
                f"pattern={pattern!r} does not match, so that it would be lost; add an "
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

    def __call__(self, text: str) -> Pieces:
        data = np.frombuffer(as_utf8(text), np.uint8)
        edges = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
        return Pieces(data, np.stack([edges[:-1], edges[1:]], 1).astype(np.int64))


@dataclass(frozen=True)
class Join:
    """Decode by putting the tokens one after another."""

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(tokens)


@dataclass(frozen=True)
class JoinWords:
    """Decode tokens of words: the suffix that ends a word becomes a space, except at the end."""

    suffix: str = "</w>"

    def __call__(self, tokens: list[bytes]) -> bytes:
        suffix = self.suffix.encode()
        words = [
            token[: -len(suffix)] + b" " if token.endswith(suffix) else token for token in tokens
        ]
        if words and tokens[-1].endswith(suffix):
            words[-1] = words[-1][:-1]
        return b"".join(words)
