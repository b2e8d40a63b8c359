"""Sets of characters in Unicode 16, as the regular expressions of tokenizers use them.

Python's tables change with its version (14.0 in Python 3.11), and so do those of the regex module;
with them would change the ids of rare text. So the sets are frozen in ``unicode16.txt`` (general
categories) and ``unicode16_sets.txt`` (scripts, properties, upper and lower case).
"""

from bisect import bisect_right
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

NAMES = "OULAMNS"  # other, upper, lower, letter without case, mark, number, space
KINDS = {"U": ("Lu", "Lt"), "L": ("Ll",), "A": ("Lm", "Lo"), "M": ("M",), "N": ("N",)}
LAST = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]  # first and last code points, in order, with gaps between
LONG = {  # long names of the general categories
    "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
    "casedletter": "LC", "modifierletter": "Lm", "otherletter": "Lo", "mark": "M",
    "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "number": "N",
    "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P",
    "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps",
    "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
    "otherpunctuation": "Po", "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc",
    "modifiersymbol": "Sk", "othersymbol": "So", "separator": "Z", "spaceseparator": "Zs",
    "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc",
    "format": "Cf", "surrogate": "Cs", "privateuse": "Co", "unassigned": "Cn",
}


def lines_of(name: str) -> list[list[str]]:
    """The words of each line of a table beside this file, comments left out."""
    text = Path(__file__).with_name(name).read_text(encoding="ascii")
    return [line.split() for line in text.splitlines() if not line.startswith("#")]


@cache
def class_table() -> np.ndarray:
    """(0x110000,) uint8: index into NAMES of the class of every code point."""
    table = np.zeros(LAST + 1, np.uint8)
    sets = {kind: union(*map(category, names)) for kind, names in KINDS.items()}
    for kind, members in {**sets, "S": named("White_Space")}.items():
        for first, last in members or ():
            table[first : last + 1] = NAMES.index(kind)
    table.flags.writeable = False
    return table


@cache
def categories() -> dict[str, Ranges]:
    """The characters of each two-letter general category."""
    rows = lines_of("unicode16.txt")
    found: dict[str, list[tuple[int, int]]] = {}
    for (first, name), (after, _) in pairwise([*rows, [f"{LAST + 1:X}", ""]]):
        found.setdefault(name, []).append((int(first, 16), int(after, 16) - 1))
    return {name: tuple(ranges) for name, ranges in found.items()}


def category(name: str) -> Ranges:
    """The characters of a category or of a group of them: Lu, L, LC (Lu, Ll and Lt)."""
    if name == "LC":
        return union(*map(category, ("Lu", "Ll", "Lt")))
    return union(*(ranges for key, ranges in categories().items() if key.startswith(name)))


@cache
def sets() -> dict[str, Ranges]:
    """Scripts and properties, by each of their names in small letters without underscores."""
    found = {"any": ((0, LAST),), "ascii": ((0, 127),), "assigned": complement(category("Cn"))}
    for row in lines_of("unicode16_sets.txt"):
        if row[0] == "set":
            edges = [part.partition("-") for part in row[2:]]
            ranges = tuple((int(a, 16), int(b or a, 16)) for a, _, b in edges)
            found.update((plain(name), ranges) for name in row[1].split("="))
    return found


def plain(name: str) -> str:
    """A property's name without case, spaces and dashes, which do not count."""
    return "".join(c for c in name.lower() if c not in "_- ")


def named(name: str) -> Ranges | None:
    r"""The characters of ``\p{name}``: a category, script or property; None if it is unknown."""
    key = plain(name)
    short = LONG.get(key) or key[:1].upper() + (key[1:].upper() if key == "lc" else key[1:])
    if short == "LC" or (len(short) <= 2 and any(k.startswith(short) for k in categories())):
        return category(short)
    return sets().get(key)


@cache
def folds() -> dict[int, tuple[int, ...]]:
    """For each character with a case: all that are the same letter."""
    rows = [row[1:] for row in lines_of("unicode16_sets.txt") if row[0] == "fold"]
    orbits = [tuple(int(code, 16) for code in row) for row in rows]
    return {code: orbit for orbit in orbits for code in orbit}


def folded(members: Ranges) -> Ranges:
    """The characters, and those that differ from one of them in case alone."""
    starts = [first for first, _ in members]
    more = []
    for code, orbit in folds().items():
        place = bisect_right(starts, code) - 1
        if place >= 0 and code <= members[place][1]:
            more += [(other, other) for other in orbit]
    return union(members, tuple(more))


def union(*parts: Ranges) -> Ranges:
    """Characters in any of the sets."""
    made: list[tuple[int, int]] = []
    for first, last in sorted(edges for part in parts for edges in part):
        if made and first <= made[-1][1] + 1:
            made[-1] = made[-1][0], max(made[-1][1], last)
        else:
            made.append((first, last))
    return tuple(made)


def complement(members: Ranges) -> Ranges:
    """All other characters."""
    edges = [(-1, -1), *members, (LAST + 1, LAST + 1)]
    gaps = [(before + 1, after - 1) for (_, before), (after, _) in pairwise(edges)]
    return tuple((first, last) for first, last in gaps if first <= last)


def intersection(one: Ranges, other: Ranges) -> Ranges:
    """Characters in both sets."""
    return complement(union(complement(one), complement(other)))
