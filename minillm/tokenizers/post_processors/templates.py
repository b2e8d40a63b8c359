"""Post-processors: the special tokens that a model expects around one text or between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..text.character_kinds import WHITE_SPACE

SPACES = WHITE_SPACE + "\u0120"  # Ġ, the space of the byte alphabet
Part = tuple[int | str, int]  # (an id, or "A" or "B" for a text; the type id of what it gives)


class Row(NamedTuple):
    """The tokens of a text: ids (n,) int32, type ids (n,) int32, spans of characters (n, 2).

    spaces: at the beginning and the end of each token (n, 2), for ``TrimOffsets``. words: which
    piece of its text each token is part of, and texts: which of two texts it comes from, (n,)
    int32, -1 for a token that was added. real (n,): False for padding.
    """

    ids: np.ndarray
    types: np.ndarray
    spans: np.ndarray
    spaces: np.ndarray
    words: np.ndarray
    texts: np.ndarray
    real: np.ndarray

    @classmethod
    def repeated(cls, id: int, kind: int, count: int = 1, real: bool = True) -> Row:
        """Tokens that come from nowhere in the text."""
        nowhere = np.zeros((count, 2), np.int64)
        ids, types, none = (np.full(count, value, np.int32) for value in (id, kind, -1))
        return cls(ids, types, nowhere, nowhere, none, none, np.full(count, real))

    @classmethod
    def joined(cls, rows: Sequence[Row]) -> Row:
        """Several rows as one."""
        if len(rows) == 1:
            return rows[0]
        return cls(*map(np.concatenate, zip(cls.repeated(0, 0, 0), *rows)))

    def part(self, kept: slice) -> Row:
        """Some of the places of the row."""
        return Row(*(column[kept] for column in self))


@dataclass(frozen=True)
class Template:
    """What a text, or a pair of texts, is put into.

    single, pair: parts in order, such as ``((101, 0), ("A", 0), (102, 0))`` for [CLS] A [SEP].
    """

    single: tuple[Part, ...] = (("A", 0),)
    pair: tuple[Part, ...] = (("A", 0), ("B", 1))

    @classmethod
    def around(cls, before: Sequence[int] = (), after: Sequence[int] = ()) -> Template:
        """Ids before and after a text; before, between and after the texts of a pair.

        ``Template.around([cls], [sep])`` is BERT's: [CLS] A [SEP] B [SEP], of type 0 up to the
        first [SEP] and 1 after it.
        """
        first = [(id, 0) for id in before], [(id, 0) for id in after]
        single: tuple[Part, ...] = (*first[0], ("A", 0), *first[1])
        return cls(single, (*single, ("B", 1), *((id, 1) for id in after)))

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Ids of one text with what goes around it."""
        found = [ids if isinstance(what, str) else [what] for what, _ in self.single]
        return np.concatenate([np.empty(0, np.int32), *found]).astype(np.int32)

    def place(self, rows: list[Row], add: bool = True) -> list[Row]:
        """One row from those of a text or of two: what the template adds comes from nowhere.

        Not `add`: only the type ids are the template's.
        """
        parts = self.single if len(rows) == 1 else self.pair
        texts = dict(zip("AB", rows))
        found = []
        for what, kind in parts:
            if isinstance(what, str):
                row = texts[what]
                found.append(row._replace(types=np.full(len(row.ids), kind, np.int32)))
            elif add:
                found.append(Row.repeated(what, kind))
        return [Row.joined(found)]


@dataclass(frozen=True)
class TrimOffsets:
    """The spans of tokens leave out the spaces at their ends; ids stay as they are.

    Ġ counts as a space. prefix_space: a single one at the beginning of the text was put there by
    the pre-tokenizer, so nothing is taken off for it.
    """

    prefix_space: bool = True

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        return ids

    def place(self, rows: list[Row], add: bool = True) -> list[Row]:
        """The rows with trimmed spans."""
        return [row._replace(spans=self.trimmed(row)) for row in rows]

    def trimmed(self, row: Row) -> np.ndarray:
        """Spans (n, 2) without the spaces."""
        (starts, ends), (before, after) = row.spans.T, row.spaces.T
        first = (starts == 0) | (np.arange(len(starts)) == 0)
        kept = first & self.prefix_space & (before == 1)
        starts = np.minimum(starts + np.where(kept, 0, before), ends)
        ends = np.where(ends >= after, np.maximum(ends - after, starts), ends)
        return np.stack([starts, ends], 1)


def spaces_around(token: str) -> tuple[int, int]:
    """How many spaces a token begins and ends with.

    >>> spaces_around("ĠĠa ")
    (2, 1)
    """
    return len(token) - len(token.lstrip(SPACES)), len(token) - len(token.rstrip(SPACES))


@dataclass(frozen=True)
class ProcessInTurn:
    """Several post-processors, one after another."""

    steps: tuple[Template | TrimOffsets, ...]

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        for step in self.steps:
            ids = step(ids)
        return ids

    def place(self, rows: list[Row], add: bool = True) -> list[Row]:
        """The rows after every step."""
        for step in self.steps:
            rows = step.place(rows, add)
        return rows
