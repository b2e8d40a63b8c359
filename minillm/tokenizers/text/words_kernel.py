"""Marking where words begin: a text can be cut between characters that stand together in no piece.

Nothing is ever joined there: before most ▁, between letters and marks, between most Chinese
characters. Nearly all text is ASCII and ▁; for these a table of two bytes tells at once, without a
branch. For others a Bloom filter tells; a pair too many in it only leaves a word longer than it
must be.
"""

from collections import namedtuple

import numpy as np

from .index_kernel import may_hold, put_bits
from .machine_kernel import bytes_between, lean, trailing_zeros
from .pieces_kernel import ONE, TWO, pair_key
from .utf8_kernel import character_width, code_point

SPACE = 0x2581  # ▁, in UTF-8 E2 96 81
WINDOW = 32

# cuts: (65536,) uint8, 1 where the plain characters of which one ends with a byte and the other
# begins with a byte stand together in no piece; plain are ASCII and ▁. pairs: a Bloom filter
# of all other characters that do.
Joints = namedtuple("Joints", "cuts pairs")


@lean(forceinline=True)
def is_plain(point):
    """Is this code point ASCII or ▁?"""
    return point < 128 or point == SPACE


@lean(cache=True)
def add_joints(lefts, rights, joints):
    """Say of these characters that they stand together; `cuts` are ones before, the filter 0."""
    for k in range(lefts.size):
        left, right = np.int64(lefts[k]), np.int64(rights[k])
        if is_plain(left) and is_plain(right):
            last, first = 0x81 if left == SPACE else left, 0xE2 if right == SPACE else right
            joints.cuts[last << 8 | first] = 0
        else:
            put_bits(joints.pairs, pair_key(left, right))


@lean(forceinline=True)
def plain_end(text, i, stop):
    """Where the plain characters from i on end, or some of them."""
    if i + WINDOW <= text.size:
        foreign = bytes_between(text, i, 128, 128, 0)
        spaces = (
            bytes_between(text, i, 0xE2, 1, 0) & bytes_between(text, i, 0x96, 1, 0) >> ONE
            & bytes_between(text, i, 0x81, 1, 0) >> TWO
        )
        foreign &= ~(spaces | spaces << ONE | spaces << TWO)
        return min(i + min(np.int64(trailing_zeros(foreign)), WINDOW), stop)
    if text[i] < 128:
        return i + 1
    width = character_width(text[i])
    return i + width if code_point(text, i, width) == SPACE else i


@lean(cache=True, nogil=True)
def mark_words(text, i, stop, joints, marks):
    """marks[k]: begins a word at byte k? From one character, at i, up to another, at `stop`."""
    while i < stop:
        end = plain_end(text, i, stop)
        for k in range(i, end):
            marks[k] = joints.cuts[np.int64(text[max(k - 1, 0)]) << 8 | text[k]]
        if end > i:
            i = end
            continue
        before = SPACE if i and text[i - 1] >= 128 else np.int64(text[max(i - 1, 0)])
        while i < stop:  # characters that are not plain, and one after them
            width = character_width(text[i])
            point = code_point(text, i, width)
            marks[i] = not may_hold(joints.pairs, pair_key(before, point))
            for k in range(1, width):
                marks[i + k] = 0
            before = point
            i += width
            if is_plain(point):
                break


@lean(forceinline=True)
def marked_length(text, i, stop, marks):
    """Bytes of the word at i; `marks` has room for WINDOW more than the text."""
    k = i + 1
    while k < stop:
        found = bytes_between(marks, k, 1, 1, 0)
        if found:
            return min(k + np.int64(trailing_zeros(found)), stop) - i
        k += WINDOW
    return stop - i
