"""Decoding many rows of ids at once, by a table of what each token becomes.

A decoder that works token by token (``streaming``) mostly goes on after a token as it went on
before it. Then a token becomes the same wherever it stands, and stands in the table. Two things
are done by the decoder itself: the first token of a row, and a stretch that begins with a token
that leaves it waiting (one byte of a character) and ends with the next one that does not.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

UNSEEN, WAITS = -1, -2
MANY = 1 << 18  # stretches that are remembered


class Table(NamedTuple):
    """What tokens become behind others: data[places[id] : places[id] + sizes[id]].

    places (V,) int64: UNSEEN of tokens that were not met yet, WAITS of those that have no place.
    """

    places: np.ndarray
    sizes: np.ndarray
    data: np.ndarray


class Decoding:
    """A decoder with its table. tokens: the bytes of each id, or None.

    Threads may share it: a table is never changed, only replaced by one that knows more tokens.
    """

    def __init__(self, decoder: Any, tokens: list[bytes | None]) -> None:
        self.decoder, self.tokens = decoder, tokens
        size = len(tokens)
        self.table = Table(np.full(size, UNSEEN), np.zeros(size, np.int32), np.zeros(0, np.uint8))
        self.known: dict[tuple[bool, bool, bytes], bytes | None] = {}  # what stretches become
        self.between: Any = None  # the state between tokens, in a tuple; None: always waiting
        if hasattr(decoder, "push"):
            state = decoder.push(decoder.start(), b"a")[0]
            if decoder.push(state, b"a")[0] == state and not b"".join(decoder.finish(state)):
                self.between = (state,)

    def learned(self, old: Table, ids: np.ndarray) -> Table:
        """The table with these ids too."""
        made = [self.becomes([id], False, False) for id in ids.tolist()]
        places, sizes = old.places.copy(), old.sizes.copy()
        sizes[ids] = [len(data or b"") for data in made]
        places[ids] = len(old.data) + np.cumsum(sizes[ids], dtype=np.int64) - sizes[ids]
        places[ids[[data is None for data in made]]] = WAITS
        data = np.frombuffer(b"".join(data or b"" for data in made), np.uint8)
        return Table(places, sizes, np.concatenate([old.data, data]))

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
        from .gathering_kernel import gather

        size, table = len(self.tokens), self.table  # which another thread may replace meanwhile
        if self.between is None or (len(flat) and not 0 <= flat.min() <= flat.max() < size):
            return None
        new = np.unique(flat[table.places[flat] == UNSEEN])
        if any(self.tokens[id] is None for id in new.tolist()):
            return None
        if len(new):
            self.table = table = self.learned(table, new)
        places, sizes = table.places[flat], table.sizes[flat]
        begins, stops, rows = stretches(places == WAITS, starts)
        made = self.stretches_become(flat, begins, stops, rows, starts)
        out, edges = np.empty(int(sizes.sum()), np.uint8), np.zeros(len(begins) + 1, np.int64)
        gather(places, sizes, table.data, begins, stops, out, edges)
        parts, ends, text = [], edges.tolist(), out.tobytes()
        for k, data in enumerate(made):
            parts += [data, text[ends[k] : ends[k + 1]]]
        of_row = 2 * np.searchsorted(rows, np.arange(len(starts)))
        each = [parts[i:j] for i, j in zip(of_row.tolist(), of_row[1:].tolist())]
        return [None if None in some else b"".join(some) if some else self.decoder([])
                for some in each]

    def stretches_become(
        self, flat: np.ndarray, begins: np.ndarray, stops: np.ndarray, rows: np.ndarray,
        starts: np.ndarray,
    ) -> list[Any]:
        """What each stretch becomes, which is remembered."""
        made, known = [], self.known
        firsts, lasts = begins == starts[rows], stops == starts[rows + 1]
        for i, j, first, last in zip(begins.tolist(), stops.tolist(), firsts.tolist(),
                                     lasts.tolist()):
            key = first, last, flat[i:j].tobytes()
            if key not in known:
                if len(known) > MANY:
                    known.clear()
                known[key] = self.becomes(flat[i:j].tolist(), first, last)
            made.append(known.get(key))
        return made


def stretches(
    waiting: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(begins, ends, rows) of what the decoder does itself, in order: see above.

    waiting (n,): is the token one that leaves the decoder waiting? starts: of the rows.
    """
    first = starts[:-1][starts[1:] > starts[:-1]]
    begin = waiting.copy()
    begin[1:] &= ~waiting[:-1]
    begin[first] = True
    begins = np.flatnonzero(begin)
    plain = np.append(np.flatnonzero(~waiting), len(waiting))
    rows = np.searchsorted(starts, begins, "right") - 1
    stops = np.minimum(plain[np.searchsorted(plain, begins)] + 1, starts[rows + 1])
    return begins, stops, rows


def flattened(rows: Iterable[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """(ids of all rows, where each begins and the last one ends), or None for something else."""
    parts = []
    for row in rows:
        if isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype.kind in "iu":
            parts.append(row.astype(np.int64))
        elif isinstance(row, list | tuple) and not (row and isinstance(row[0], bool)):
            try:
                parts.append(np.array(array("q", row)))
            except (TypeError, OverflowError):
                return None
        else:
            return None
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return np.concatenate([np.zeros(0, np.int64), *parts]), starts
