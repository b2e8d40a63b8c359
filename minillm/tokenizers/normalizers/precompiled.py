"""SentencePiece's table of rules as Hugging Face's library applies it, which is not the same.

Each grapheme (what a reader takes for one character) of fewer than six bytes is looked up whole,
but replaced by the result of the *shortest* rule that matches its beginning: of Ａ with an accent
only A is left. Where no rule matches, and in longer graphemes, each character is looked up by
itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from .charsmap import Charsmap

SHORT = 6  # bytes
NEW: Any = object()  # not None, which says that no rule matches


@cache
def graphemes() -> Any:
    """The pattern of one grapheme."""
    import regex

    return regex.compile(r"\X")


@dataclass(frozen=True)
class Precompiled:
    """A normalizer. charsmap: the compiled table of a `.model` file."""

    charsmap: bytes = field(repr=False)
    _table: Any = field(default=None, init=False, repr=False, compare=False)
    _known: dict[str, str | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", Charsmap(self.charsmap) if self.charsmap else None)

    def __call__(self, text: str) -> str:
        return "".join(new for _, new in self.parts(text))

    def parts(self, text: str) -> Iterator[tuple[str, str]]:
        """What stood there, and what stands there now, piece by piece."""
        for match in graphemes().finditer(text):
            whole = match.group()
            new = self.shortest(whole) if len(whole.encode("utf-8", "replace")) < SHORT else None
            if new is not None:
                yield whole, new
                continue
            for character in whole:
                found = self.shortest(character)
                yield character, character if found is None else found

    def shortest(self, text: str) -> str | None:
        """The result of the shortest rule that matches at the beginning of `text`, or None."""
        known = self._known.get(text, NEW)
        if known is NEW:
            if len(self._known) > 1 << 16:
                self._known.clear()
            data = text.encode("utf-8", "replace")
            found = next(self._table.matches(data), None) if self._table else None
            known = None if found is None else self._table.output(found[1]).decode()
            self._known[text] = known
        return known

    def aligned(self, text: str) -> tuple[str, np.ndarray]:
        """The new text; its characters come one by one from those of what they replace.

        Where there are more new characters than old ones, the rest come from the last.
        """
        made, spans, position = [], [], 0
        for old, new in self.parts(text):
            made.append(new)
            places = [position + min(k, len(old) - 1) for k in range(len(new))]
            spans += [(place, place + 1) for place in places]
            position += len(old)
        return "".join(made), np.array(spans, np.int64).reshape(-1, 2)


