"""Decoding many rows of ids at once, by a table of what each token becomes.

A decoder that works token by token (``streaming``) mostly goes on after a token as it went on
before it. Then a token becomes the same wherever it stands, and stands in the table. Two things
are done by the decoder itself: the first token of a row, and a stretch that begins with a token
that leaves it waiting (one byte of a character) and ends with the next one that does not.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..text.memories import power_of_two
from .token_table import MORE, NO_ID, UNSEEN, WAITS, Table

MANY = 1 << 18  # stretches that are remembered


class Decoding:
    """A decoder with its table. tokens: the bytes of each id, or None.

    Threads may share it: a table is never changed, only replaced by one that knows more tokens.
    """

    def __init__(self, decoder: Any, tokens: list[bytes | None]) -> None:
        self.decoder, self.tokens = decoder, tokens
        places = np.array([NO_ID if token is None else UNSEEN for token in tokens], np.int64)
        sizes = np.zeros(len(tokens), np.int32)
        self.table = Table(places, sizes, np.frombuffer(MORE, np.uint8))
        self.known: dict[tuple[int, bytes], bytes | None] = {}  # what stretches become
        self.between: Any = None  # the state between tokens, in a tuple; None: always waiting
        if hasattr(decoder, "push"):
            state = decoder.push(decoder.start(), b"a")[0]
            if decoder.push(state, b"a")[0] == state and not b"".join(decoder.finish(state)):
                self.between = (state,)

    def learned(self, old: Table, ids: np.ndarray) -> Table:
        """The table with these ids too."""
        ids = ids[old.places[ids] == UNSEEN]
        made = [self.becomes([id], False, False) for id in ids.tolist()]
        places, sizes = old.places.copy(), old.sizes.copy()
        sizes[ids] = [len(data or b"") for data in made]
        places[ids] = len(old.data) - len(MORE) + np.cumsum(sizes[ids], dtype=np.int64) - sizes[ids]
        places[ids[[data is None for data in made]]] = WAITS
        data = b"".join([old.data[: -len(MORE)].tobytes(), *(data or b"" for data in made), MORE])
        return Table(places, sizes, np.frombuffer(data, np.uint8))

    def becomes(self, ids: list[int], first: bool, last: bool) -> bytes | None:
        """What a stretch becomes, at the beginning or the end of a row; None if it ends waiting."""
        state, made = self.decoder.start() if first else self.between[0], []
        for id in ids:
            state, decided = self.decoder.push(state, self.tokens[id])
            made += decided
        if last:
            made += self.decoder.finish(state)
        return b"".join(made) if last or state == self.between[0] else None

    def __call__(self, flat: np.ndarray, starts: np.ndarray) -> list[bytes | None] | None:
        """The bytes of each row flat[starts[r] : starts[r + 1]] of ids; None where that is unknown.

        Nothing at all if some number is no id, or the decoder has no table.
        """
        from .gathering_kernel import gather, survey

        if self.between is None:
            return None
        table = self.table  # which another thread may replace meanwhile
        begins, stops, rows = (np.empty(len(flat), np.int64) for _ in range(3))
        count, size = survey(flat, starts, table, begins, stops, rows)
        if count == UNSEEN:
            self.table = table = self.learned(table, np.unique(flat))
            count, size = survey(flat, starts, table, begins, stops, rows)
        if count == NO_ID:
            return None
        begins, stops, rows = begins[:count], stops[:count], rows[:count]
        numbers, made = self.stretches_become(flat, begins, stops, rows, starts)
        known = [data or b"" for data in made]
        ends = np.cumsum([0, *map(len, known)], dtype=np.int64)
        between = np.frombuffer(b"".join([*known, MORE]), np.uint8)
        size += int(np.diff(ends)[numbers].sum()) + len(MORE)
        out, edges = np.empty(size, np.uint8), np.empty(count + 1, np.int64)
        gather(flat, table, begins, stops, between, ends, numbers, out, edges)
        text = out[: edges[-1]].tobytes()
        of_row = edges[np.searchsorted(rows, np.arange(len(starts)))].tolist()
        each: list[bytes | None] = [text[i:j] for i, j in pairwise(of_row)]
        for row in np.flatnonzero(starts[1:] == starts[:-1]).tolist():
            each[row] = self.decoder([])
        unknown = np.array([data is None for data in made], bool)
        for row in rows[unknown[numbers]].tolist():
            each[row] = None
        return each

    def stretches_become(
        self, flat: np.ndarray, begins: np.ndarray, stops: np.ndarray, rows: np.ndarray,
        starts: np.ndarray,
    ) -> tuple[np.ndarray, list[bytes | None]]:
        """Numbers of the stretches, and what those of each number become, which is remembered."""
        from .gathering_kernel import number_stretches

        edges = 2 * (begins == starts[rows]) + (stops == starts[rows + 1])  # of their row
        slots = np.zeros(power_of_two(2 * len(begins)), np.uint32)
        examples, numbers = np.empty_like(begins), np.empty_like(begins)
        count = number_stretches(flat.view(np.uint8), 8 * begins, 8 * stops, edges, slots,
                                 examples, numbers)
        made, known = [], self.known
        for s in examples[:count].tolist():
            ids, edge = flat[begins[s] : stops[s]], int(edges[s])
            key = edge, ids.tobytes()
            if key not in known:
                if len(known) > MANY:
                    known.clear()
                known[key] = self.becomes(ids.tolist(), edge >= 2, edge % 2 == 1)
            made.append(known.get(key))  # unless another thread has cleared it
        return numbers, made


def flattened(rows: list[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """(ids of all rows, where each begins and the last one ends), or None for something else."""
    if not all(map(may_hold_ids, rows)):
        return None
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    flat = np.empty(starts[-1], np.int64)
    for row, start in zip(rows, starts.tolist()):
        if isinstance(row, np.ndarray):
            flat[start : start + len(row)] = row
            continue
        try:
            struct.pack_into(f"{len(row)}q", flat.data, 8 * start, *row)
        except struct.error:  # a number is none, or too large
            return None
    return flat, starts


def may_hold_ids(row: Any) -> bool:
    """Is it a list, or an array of whole numbers? Of a list only the first one is looked at."""
    if isinstance(row, np.ndarray):
        return row.ndim == 1 and row.dtype.kind in "iu"
    return isinstance(row, list | tuple) and not (row and isinstance(row[0], bool))
