"""Pre-tokenizers that rewrite, over many texts at once: marks for spaces, spaces in front, bytes.

A function here gives a ``Rewritten``. The definitions are the ``aligned`` of the stages.
"""

from typing import NamedTuple

import numpy as np

from ..text.byte_alphabet import CHARACTER_OF_BYTE
from .metaspace import SPACE


class Rewritten(NamedTuple):
    """data (n,) uint8: the new bytes. segments (s, 2): where each text, or piece of one, is in it.

    source (n,) int64: a byte of the character that each new byte comes from, among the old ones.
    """

    data: np.ndarray
    segments: np.ndarray
    source: np.ndarray


def with_marks(
    data: np.ndarray, segments: np.ndarray, front: np.ndarray, mark: str = SPACE,
    places: bool = True,
) -> Rewritten:
    """Segments (s, 2) of `data` with a mark for each space; see ``metaspace.with_mark``.

    front (s,) bool: does the segment get one more, unless it begins with one? Without `places`
    the source stays empty, which is quicker.
    """
    from ..text.marks_kernel import mark_spaces

    segments = np.ascontiguousarray(segments, np.int64)
    written = np.frombuffer(mark.encode(), np.uint8)
    sizes = segments[:, 1] - segments[:, 0]
    spaces = np.concatenate([[0], np.cumsum(data == 32)])
    more = (len(written) - 1) * (spaces[segments[:, 1]] - spaces[segments[:, 0]])
    room = int((sizes + more + len(written)).sum())
    out, source = np.empty(room, np.uint8), np.empty(room * places, np.int64)
    ends = np.empty(len(segments), np.int64)
    used = mark_spaces(data, segments, np.asarray(front, bool), written, out, source, ends)
    return Rewritten(out[:used], between(ends), source[:used])


def with_space_in_front(data: np.ndarray, segments: np.ndarray) -> Rewritten:
    """Segments (s, 2) of `data`, those that do not begin with a space behind one more."""
    kept = segments[segments[:, 1] > segments[:, 0]]
    new = data[kept[:, 0]] != 32
    places = np.repeat(kept[:, 0], new)
    sizes = segments[:, 1] - segments[:, 0]
    full = sizes > 0
    source = gathered(segments)
    starts = (np.cumsum(sizes) - sizes)[full][new]  # of the segments that get one, side by side
    made = np.insert(data[source], starts, 32)
    sizes[full] += new
    return Rewritten(made, between(np.cumsum(sizes)), np.insert(source, starts, places))


def in_alphabet(data: np.ndarray, segments: np.ndarray) -> Rewritten:
    """Segments (s, 2) of `data`, each byte as its character of the byte alphabet."""
    source = gathered(segments)
    widths = WIDTHS[data[source]]
    ends = np.cumsum(widths)
    made = np.empty(int(widths.sum()), np.uint8)
    made[ends - widths] = FIRST[data[source]]
    made[ends - 1] = LAST[data[source]]
    before = np.concatenate([[0], ends])
    last = np.cumsum(segments[:, 1] - segments[:, 0])
    return Rewritten(made, between(before[last]), np.repeat(source, widths))


WRITTEN = [CHARACTER_OF_BYTE[byte].encode() for byte in range(256)]
WIDTHS = np.array([len(character) for character in WRITTEN])
FIRST = np.array([character[0] for character in WRITTEN], np.uint8)
LAST = np.array([character[-1] for character in WRITTEN], np.uint8)


def gathered(segments: np.ndarray) -> np.ndarray:
    """The places of all bytes of the segments (s, 2), one segment after another."""
    sizes = segments[:, 1] - segments[:, 0]
    shift = segments[:, 0] - (np.cumsum(sizes) - sizes)
    return np.arange(int(sizes.sum())) + np.repeat(shift, sizes)


def between(ends: np.ndarray) -> np.ndarray:
    """Segments (s, 2) that lie side by side, from where each ends."""
    return np.stack([np.concatenate([[0], ends])[:-1], ends], 1)
