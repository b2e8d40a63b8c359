"""The small stages around the model: pre-tokenizers and decoders.

Each is a frozen dataclass that is called like a function, so that it can be compared, printed and
written to a file.
"""

from dataclasses import dataclass

import numpy as np

from .segments import Pieces, as_utf8
from .splitting import compiled, matches, rule_of


@dataclass(frozen=True)
class Split:
    """Cut text into the pieces that match a named rule or a regular expression.

    With ``keep_gaps`` the text between two matches is a piece as well.
    """

    pattern: str
    keep_gaps: bool = False

    def __post_init__(self) -> None:
        compiled(self.pattern)

    @property
    def rule(self) -> str | None:
        """Name of the rule if there is a scanner for it."""
        return rule_of(self.pattern)

    def __call__(self, text: str) -> Pieces:
        data = np.frombuffer(as_utf8(text), np.uint8)
        text = data.tobytes().decode()
        found = [match.span() for match in matches(text, self.pattern)]
        if self.keep_gaps:
            found = fill_gaps(found, len(text))
        edges = np.array(found, np.int64).reshape(-1, 2)
        if len(data) > len(text):  # character positions to byte positions
            edges = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))[edges]
        return Pieces(data, edges)


def fill_gaps(spans: list[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """The spans, and between them what they leave out of 0..end."""
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
