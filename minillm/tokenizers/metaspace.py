"""Metaspace: a space becomes the visible mark ▁ (U+2581), so that pieces know where words begin.

Kudo and Richardson 2018 (SentencePiece); the rules are those of Hugging Face's pre-tokenizer.
"""

from dataclasses import dataclass

import numpy as np

from .normalizing import Aligned, identity
from .segments import Pieces, as_utf8
from .streaming import OneByOne, Step

SPACE = "\u2581"
SCHEMES = ("always", "first", "never")


class Continued(str):
    """A part of a text that does not stand at its beginning (a special token is before it)."""


def with_mark(text: str, scheme: str = "always", mark: str = SPACE) -> str:
    """The text with marks for spaces, and one more in front where the scheme asks for it.

    ``always``: unless the text begins with a mark. ``first``: only at the beginning of the whole
    text. ``never``: none.

    >>> with_mark("Hey  you ")
    '▁Hey▁▁you▁'
    """
    marked = text.replace(" ", mark)
    wanted = scheme == "always" or (scheme == "first" and not isinstance(text, Continued))
    return mark + marked if wanted and marked and not marked.startswith(mark) else marked


def split_at_marks(text: str, mark: str = SPACE) -> list[str]:
    """Pieces that each begin with a mark, except perhaps the first.

    >>> split_at_marks("▁Hey▁▁you▁")
    ['▁Hey', '▁', '▁you', '▁']
    """
    parts = text.split(mark)
    return [part for part in parts[:1] if part] + [mark + part for part in parts[1:]]


@dataclass(frozen=True)
class Metaspace:
    """Spaces to marks, then a new piece at every mark (unless `split` is off)."""

    mark: str = SPACE
    scheme: str = "always"
    split: bool = True

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(f"scheme={self.scheme!r}; use one of {', '.join(SCHEMES)}")
        if len(self.mark) != 1:
            raise ValueError(f"mark={self.mark!r}; expected one character")

    def aligned(self, text: str) -> Aligned:
        marked = with_mark(text, self.scheme, self.mark)
        sources = identity(text)
        if len(marked) > len(text):  # the mark in front belongs to the first character
            sources = np.concatenate([sources[:1], sources])
        return marked, sources

    def __call__(self, text: str) -> Pieces:
        marked = with_mark(text, self.scheme, self.mark)
        parts = split_at_marks(marked, self.mark) if self.split else [marked] if marked else []
        ends = np.cumsum([len(as_utf8(part)) for part in parts], dtype=np.int64)
        spans = np.stack([np.concatenate([[0], ends[:-1]]), ends], 1) if parts else ends
        return Pieces(np.frombuffer(as_utf8(marked), np.uint8), spans.reshape(-1, 2))


@dataclass(frozen=True)
class JoinMarked(OneByOne):
    """Decode: marks become spaces; the first token loses its marks unless the scheme is never."""

    mark: str = SPACE
    scheme: str = "always"

    def start(self) -> bool:
        """Will the marks of the next token be dropped?"""
        return self.scheme != "never"

    def push(self, first: bool, token: bytes) -> Step:
        return False, [token.replace(self.mark.encode(), b"" if first else b" ")]
