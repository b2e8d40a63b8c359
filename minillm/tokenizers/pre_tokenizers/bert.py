"""BERT's pre-tokenizer: words, and every punctuation mark by itself."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..text.character_kinds import NAMES, kinds
from ..text.segments import Pieces, pieces_of


@dataclass(frozen=True)
class BertSplit:
    """Pieces between white space, each punctuation character a piece of its own."""

    def cut(self, text: str) -> list[tuple[int, int]]:
        """The pieces as spans of characters."""
        return [match.span() for match in piece_pattern().finditer(text)]

    def __call__(self, text: str) -> Pieces:
        return pieces_of(text, self.cut)


@cache
def piece_pattern() -> Any:
    """One punctuation character, or as many others as there are."""
    import regex

    runs = np.flatnonzero(np.diff(kinds(), prepend=255, append=255))
    inside: dict[str, str] = {"P": "", "SV": ""}
    for first, end in pairwise(runs.tolist()):
        for names in inside:
            if NAMES[kinds()[first]] in names:
                inside[names] += f"\\U{first:08X}-\\U{end - 1:08X}"
    return regex.compile(f"[{inside['P']}]|[^{inside['P']}{inside['SV']}]+")
