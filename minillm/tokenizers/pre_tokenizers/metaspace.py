"""Metaspace: a space becomes the visible mark ▁ (U+2581), so that pieces know where words begin.

Kudo and Richardson 2018 (SentencePiece); the rules are those of Hugging Face's pre-tokenizer.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from ..normalizers.alignment import Aligned, identity
from ..text.segments import Pieces, origins, pieces_of

SPACE = "\u2581"
SCHEMES = ("always", "first", "never")


def with_mark(text: str, scheme: str = "always", mark: str = SPACE) -> str:
    """The text with marks for spaces, and one more in front where the scheme asks for it.

    ``always``: unless the text begins with a mark. ``first``: only at the beginning of the whole
    text. ``never``: none.

    >>> with_mark("Hey  you ")
    '▁Hey▁▁you▁'
    """
    marked = text.replace(" ", mark)
    wanted = scheme == "always" or (scheme == "first" and not origins(text)[:1].any())
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

    @property
    def needs_place(self) -> bool:
        """Does it matter where in the whole text a part stands?"""
        return self.scheme == "first"

    def cut(self, marked: str) -> list[tuple[int, int]]:
        """The pieces of a text that has its marks already."""
        parts = split_at_marks(marked, self.mark) if self.split else [marked] if marked else []
        return list(pairwise(accumulate(map(len, parts), initial=0)))

    def __call__(self, text: str) -> Pieces:
        return pieces_of(with_mark(text, self.scheme, self.mark), self.cut)
