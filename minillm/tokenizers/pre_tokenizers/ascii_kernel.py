"""The split rules once more, for pieces of plain ASCII: 32 bytes at a time and almost no branches.

Most pieces are short and plain. Bit masks say which of the next 32 bytes are letters, digits,
white space and line breaks; the end of a run is then the first zero bit. Whatever is not plain
(other scripts, contractions, the end of the text, pieces over 31 bytes) gives length 0, and the
scanner of ``scanning_kernel`` decides.
"""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import bytes_between, leading_zeros, lean, trailing_zeros
from .scanning_kernel import GIVEN, GPT2, O200K, piece_end

ONE, ZERO = np.uint64(1), np.uint64(0)
BLOCK = 32

# rule: number of a split rule. classes: (0x110000,) class of each code point.
Splitting = namedtuple("Splitting", "rule classes")


@lean
def ones_from(mask, start):
    """Length of the run of ones that begins at bit `start`."""
    return trailing_zeros(~(mask >> start))


@lean
def may_contract(byte):
    """Can this byte follow the apostrophe of a contraction (s, t, m, d, l, v, r, or ſ)?"""
    b = byte | np.uint8(32)
    return (
        b == 115 or b == 116 or b == 109 or b == 100 or b == 108 or b == 118 or b == 114
        or byte >= 128
    )


@lean(forceinline=True)
def plain_length(text, i, stop, rule):
    """Length of the piece at i if it is plain ASCII and ends before `stop`, else 0.

    Reads 32 bytes from i on.
    """
    first = text[i]
    if first >= 128:
        return 0
    if first == 39 and rule != O200K and may_contract(text[i + 1]):
        return 0
    letters = bytes_between(text, i, 97, 26, 32)
    digits = bytes_between(text, i, 48, 10, 0)
    spaces = bytes_between(text, i, 9, 5, 0) | bytes_between(text, i, 32, 1, 0)
    foreign = bytes_between(text, i, 128, 128, 0)
    others = ~(letters | digits | spaces | foreign)
    if rule == GPT2:
        after = np.uint64(first == 32) & ~(spaces >> ONE) & ONE
    else:
        breaks = bytes_between(text, i, 10, 1, 0) | bytes_between(text, i, 13, 1, 0)
        after = ~(letters | digits | breaks) & (letters >> ONE) & ONE
        after |= np.uint64(first == 32) & (others >> ONE) & ONE
    letter = (letters >> after) & ONE
    digit = (digits >> after) & ONE
    space = (spaces >> after) & ONE
    other = (others >> after) & ONE
    same = (
        (letters & (ZERO - letter)) | (digits & (ZERO - digit))
        | (spaces & (ZERO - space)) | (others & (ZERO - other))
    )
    if rule == O200K and letter:
        capitals = bytes_between(text, i, 65, 26, 0)
        small = after + ones_from(capitals, after)
        length = small + ones_from(letters & ~capitals, small)
        if length < np.uint64(BLOCK) and text[i + np.int64(length)] == 39:
            return 0
    else:
        length = after + ones_from(same, after)
    if length >= np.uint64(BLOCK - 1) or (foreign >> length) & ONE or i + np.int64(length) >= stop:
        return 0  # before a space is given up: at the end of a segment none is
    if rule == GPT2:
        length -= space & np.uint64(length > ONE)
    else:
        length = min(length, np.uint64(3)) if digit else length
        if other:
            tail = breaks | bytes_between(text, i, 47, 1, 0) if rule == O200K else breaks
            length += ones_from(tail, length)
        if space:
            inside = breaks & ((ONE << length) - ONE)
            through = np.uint64(64) - leading_zeros(inside)
            length = through if inside else length - np.uint64(length > ONE)
    plain = np.int64(length)
    return plain if plain < BLOCK - 1 and i + plain < stop else 0


@lean(forceinline=True)
def next_piece(text, i, stop, splitting):
    """Bytes of the piece at byte i of a segment that ends at `stop`, by a ``Splitting``."""
    if splitting.rule == GIVEN:
        return stop - i
    length = 0
    if i <= text.size - BLOCK:
        length = plain_length(text, i, stop, splitting.rule)
    if length == 0:
        length = piece_end(text, i, stop, splitting.rule, splitting.classes) - i
    return length
