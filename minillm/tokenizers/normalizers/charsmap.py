"""The compiled table of a SentencePiece normalizer: a trie of byte strings in one array of numbers.

A charsmap holds rules "these bytes become those". It is a 32-bit number n, then n bytes of 32-bit
units, then the new texts, each with a NUL at its end. The units are a *double array* (Aoe 1989, in
the form of the Darts-clone library): the children of a node lie at ``base ^ byte``, and a unit is
the child for `byte` only if it carries the label `byte`. One look-up per byte, no pointers.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from .alignment import Aligned
from .stretches import aligned, code_points, remembered, rewritten, with_neighbours

LEAF = 1 << 8
VALUE = 1 << 31
LONGEST_RULE = 1024  # bytes


def label(unit: int) -> int:
    """The byte that leads to this unit; units that hold values match no byte."""
    return unit & 0x800000FF


def offset(unit: int) -> int:
    """What to XOR the place of a unit with, to get where its children lie."""
    return (unit >> 10) << (8 if unit >> 9 & 1 else 0)


class Charsmap:
    """A compiled table of rules.

    Raises a ValueError for data that is no such table. ``units`` (n,) uint32 and ``outputs`` uint8
    are its two parts.
    """

    def __init__(self, data: bytes):
        self.data = data
        size = struct.unpack_from("<I", data)[0] if len(data) >= 4 else -1
        if size < 4 or size % 4 or size > len(data) - 4:
            raise ValueError(f"{len(data)} bytes with a trie of {size} bytes; expected 4, 8, …")
        self.units = np.frombuffer(data, "<u4", size // 4, 4).astype(np.uint32)
        self.outputs = np.frombuffer(data, np.uint8, offset=4 + size)
        self.check()

    def longest(self, text: bytes, start: int = 0) -> tuple[int, bytes]:
        """(length, new bytes) of the longest rule matching `text` at `start`; length 0: none."""
        best = (0, b"")
        for length, place in self.matches(text, start):
            best = (length, self.output(place))
        return best

    def matches(self, text: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
        """(length, place of the output) of each rule that matches, the shortest first."""
        units = self.units.data  # gives plain ints, which are quicker than NumPy's
        place = offset(units[0])
        for k in range(start, len(text)):
            place ^= text[k]
            if text[k] == 0 or place >= len(units) or label(units[place]) != text[k]:
                return
            unit = units[place]
            place ^= offset(unit)
            if unit & LEAF:
                yield k + 1 - start, units[place] & ~VALUE

    def output(self, place: int) -> bytes:
        """The new text that stands at a place of ``outputs``."""
        raw = self.outputs
        end = place
        while raw[end]:
            end += 1
        return raw[place:end].tobytes()

    def rules(self) -> Iterator[tuple[bytes, bytes]]:
        """Every rule as (old bytes, new bytes)."""
        labels = self.units & (VALUE | 0xFF)
        children: dict[int, list[int]] = {}  # by the place of the parent's children
        for place in np.flatnonzero((labels > 0) & (labels < 256)).tolist():
            children.setdefault(place ^ int(labels[place]), []).append(place)
        units = self.units.tolist()
        waiting = [(b"", offset(units[0]))]
        while waiting:
            prefix, base = waiting.pop()
            for place in children.get(base, []):
                old, unit = prefix + bytes([place ^ base]), units[place]
                below = place ^ offset(unit)
                waiting.append((old, below))
                if unit & LEAF:
                    yield old, self.output(units[below] & ~VALUE)

    def check(self) -> None:
        """Raise a ValueError if any rule leads outside the table, in a circle, or to text that is
        not UTF-8."""
        leaves, bases = self.reached()
        if (bases[leaves] >= len(self.units)).any():
            raise ValueError("a rule leads outside the trie")
        values = self.units[bases[leaves]].astype(np.int64) & (VALUE - 1)
        raw = self.outputs
        if len(values) and (not len(raw) or raw[-1] or values.max() >= len(raw)):
            raise ValueError("a rule leads outside the texts, or the last text does not end")
        try:
            raw.tobytes().decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"its texts are not UTF-8 at byte {error.start}") from None
        if len(values) and ((raw[values] & 0xC0) == 0x80).any():
            raise ValueError("a rule leads into the middle of a character")

    def reached(self) -> tuple[np.ndarray, np.ndarray]:
        """(nodes that end a rule, where the children of every unit lie).

        The nodes under one base form a group, visited when all that lead to it have been: a group
        that is never free of them lies on a circle (Kahn 1962).
        """
        units = self.units.astype(np.int64)
        places = np.arange(len(units))
        bases = places ^ ((units >> 10) << np.where(units >> 9 & 1, 8, 0))
        nodes = np.flatnonzero((units & VALUE == 0) & (units & 0xFF > 0))
        nodes = nodes[np.argsort(nodes ^ units[nodes] & 0xFF, kind="stable")]
        group = nodes ^ units[nodes] & 0xFF

        def children(of: np.ndarray) -> np.ndarray:
            first, last = np.searchsorted(group, of), np.searchsorted(group, of, "right")
            steps = np.repeat(first - np.cumsum(last - first) + (last - first), last - first)
            return nodes[steps + np.arange(len(steps))]

        size = len(units) + 256
        targets = np.minimum(bases, size - 1)  # where nothing lies, as beyond the end
        known, leads, new = np.zeros(size, bool), [np.array([], np.int64)], targets[:1]
        for _ in range(LONGEST_RULE):
            known[new] = True
            leads.append(children(new))
            new = np.unique(targets[leads[-1]])
            new = new[~known[new]]
            if not len(new):
                break
        reached = np.concatenate(leads)
        waiting = np.bincount(targets[reached], minlength=size)
        free, visited = targets[:1][waiting[targets[:1]] == 0], 0
        for _ in range(LONGEST_RULE):
            below = targets[children(free)]
            visited += len(below)
            np.subtract.at(waiting, below, 1)
            free = np.unique(below[waiting[below] == 0])
            if not len(free):
                break
        if len(new) or visited != len(reached):
            raise ValueError(f"it leads in a circle, or has a rule of over {LONGEST_RULE} bytes")
        return reached[units[reached] & LEAF > 0], bases


SHORT = 6  # bytes
NEW: Any = object()  # not None, which says that no rule matches
PLAIN, CHANGED, JOINED = 1, 2, 3  # no rule; a rule for it alone; may share a grapheme


@cache
def graphemes() -> Any:
    """The pattern of one grapheme."""
    import regex

    return regex.compile(r"\X")


@cache
def loners() -> Any:
    """The pattern of a character that is a grapheme of its own, if those beside it are too."""
    import regex

    return regex.compile(r"(?V1)[[\p{GCB=Other}\p{GCB=Control}\p{GCB=LF}]--\p{ExtPict}]")


@dataclass(frozen=True)
class Precompiled:
    """A normalizer: SentencePiece's rules as Hugging Face's library applies them.

    That is not the same. Each grapheme (what a reader takes for one character) of fewer than six
    bytes is looked up whole, but replaced by the result of the *shortest* rule that matches its
    beginning: of Ａ with an accent only A is left. Where no rule matches, and in longer graphemes,
    each character is looked up by itself. charsmap: the compiled table of a `.model` file.
    """

    charsmap: bytes = field(repr=False)
    _table: Any = field(default=None, init=False, repr=False, compare=False)
    _known: dict[str, str | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _kinds: np.ndarray = field(
        default_factory=lambda: np.zeros(0x110000, np.uint8), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", Charsmap(self.charsmap) if self.charsmap else None)

    def __call__(self, text: str) -> str:
        return rewritten(text, self.changing(text), lambda part: stretch(self, part)[0])

    def aligned(self, text: str) -> Aligned:
        """The new text; its characters come one by one from those of what they replace.

        Where there are more new characters than old ones, the rest come from the last.
        """
        return aligned(text, self.changing(text), partial(stretch, self))

    def changing(self, text: str) -> np.ndarray:
        """Which characters may change (n,): those with a rule, and graphemes of several."""
        points = code_points(text)
        for code in set(points[self._kinds[points] == 0].tolist()):
            character = chr(code)
            if not loners().match(character):
                self._kinds[code] = JOINED
            else:
                self._kinds[code] = PLAIN if self.shortest(character) is None else CHANGED
        kinds = self._kinds[points]
        return (kinds == CHANGED) | with_neighbours(kinds == JOINED)

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


@remembered
def stretch(normalizer: Precompiled, text: str) -> Aligned:
    """The definition: what stands for the characters of a text that begins and ends graphemes."""
    made, spans, position = [], [], 0
    for old, new in normalizer.parts(text):
        made.append(new)
        places = [position + min(k, len(old) - 1) for k in range(len(new))]
        spans += [(place, place + 1) for place in places]
        position += len(old)
    return "".join(made), np.array(spans, np.int64).reshape(-1, 2)
