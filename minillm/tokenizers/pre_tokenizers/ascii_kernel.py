"""The split rules once more, for 64 bytes of plain ASCII at once: where pieces begin, as bits.

One bit mask for each class of characters says where in the window it stands. Whether a piece
begins at a byte follows from the one or two bytes before it, so a few shifts decide it for all
bytes together, without waiting for the end of the piece before. What the masks cannot tell is left
out: the first byte that is not ASCII and all behind it, and white space that touches the end. The
definition is ``scanning_kernel.piece_end``.
"""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import bytes_between, leading_zeros, lean, trailing_zeros
from ..text.pieces_kernel import ALL, ONE, S32, S64, TWO, ZERO
from .scanning_kernel import GIVEN, GPT2, O200K, contraction, piece_end

WINDOW = 64
AHEAD = WINDOW + 8  # bytes that are read from the beginning of a window on
THREE = np.uint64(3)
HIGHEST = np.uint64(1 << 63)

# rule: number of a split rule. classes: (0x110000,) class of each code point.
Splitting = namedtuple("Splitting", "rule classes")


@lean(forceinline=True)
def bytes_like(text, i, first, count, fold):
    """``bytes_between`` for 64 bytes."""
    return bytes_between(text, i, first, count, fold) | bytes_between(
        text, i + 32, first, count, fold) << S32


@lean(forceinline=True)
def after(mask):
    """The bytes behind those of the mask."""
    return mask << ONE


@lean(forceinline=True)
def firsts(mask):
    """The first byte of each run."""
    return mask & ~after(mask)


@lean(forceinline=True)
def behind(mask):
    """The byte behind each run, where it is in the window."""
    return (mask + firsts(mask)) & ~mask


@lean(forceinline=True)
def known(spaces, foreign):
    """The bytes of which it is certain whether a piece begins there."""
    size = trailing_zeros(foreign)
    inside = ALL if size == S64 else (ONE << size) - ONE
    if size == ZERO or (spaces >> (size - ONE)) & ONE == ZERO:
        return inside
    begin = S64 - leading_zeros(~spaces & inside)  # of the white space that goes on
    return inside & (ALL if begin >= S64 - ONE else (TWO << begin) - ONE)


@lean(forceinline=True)
def may_contract(byte):
    """Can this byte follow the apostrophe of a contraction (s, t, m, d, l, v, r, or ſ)?"""
    b = byte | np.uint8(32)
    return (
        b == 115 or b == 116 or b == 109 or b == 100 or b == 108 or b == 118 or b == 114
        or byte >= 128
    )


@lean(forceinline=True)
def with_contractions(text, i, begins, quotes, letters, rule):
    """The beginnings, where 's 't 'm 'd 'll 've 're are pieces, or the ends of words (o200k)."""
    end = np.int64(-1)  # of the one before
    while quotes:
        k = np.int64(trailing_zeros(quotes))
        bit = quotes & (~quotes + ONE)
        quotes &= quotes - ONE
        if not may_contract(text[i + k + 1]) or (rule == O200K and k == end):
            continue
        length = contraction(text, i + k, i + k + 4, rule != GPT2)
        if length == 0:
            continue
        end = k + length
        begins &= ~(bit if rule == O200K else after(bit))
        if end < WINDOW:
            begins |= (ONE << np.uint64(end)) & letters
    return begins


@lean(forceinline=True)
def gpt2_begins(text, i, foreign):
    """Where pieces begin in the WINDOW bytes from i on by the rule gpt2, if one begins at i.

    foreign: bytes that are not to be looked at.
    """
    letters = bytes_like(text, i, 97, 26, 32)
    digits = bytes_like(text, i, 48, 10, 0)
    blanks = bytes_like(text, i, 32, 1, 0)
    spaces = bytes_like(text, i, 9, 5, 0) | blanks
    others = ~(letters | digits | spaces | foreign)
    begins = (firsts(letters) | firsts(digits) | firsts(others)) & ~after(blanks)
    quotes = bytes_like(text, i, 39, 1, 0) & begins & letters >> ONE
    if quotes:
        begins = with_contractions(text, i, begins, quotes, letters, GPT2)
    begins |= firsts(spaces) | behind(spaces) >> ONE
    return begins & known(spaces, foreign)


@lean(forceinline=True)
def without_inner(runs, followed):
    """The first bytes of runs, without those of runs that end before a byte of `followed`."""
    found = firsts(runs)
    ends = behind(runs) & followed
    while ends:
        below = (ends & (~ends + ONE)) - ONE
        found &= ~(ONE << (S64 - ONE - leading_zeros(found & below)))
        ends &= ends - ONE
    return found


@lean(forceinline=True)
def later_begins(text, i, foreign, rule):
    """The same by the rules cl100k and o200k."""
    letters = bytes_like(text, i, 97, 26, 32)
    digits = bytes_like(text, i, 48, 10, 0)
    blanks = bytes_like(text, i, 32, 1, 0)
    breaks = bytes_like(text, i, 10, 1, 0) | bytes_like(text, i, 13, 1, 0)
    spaces = bytes_like(text, i, 9, 5, 0) | blanks
    others = ~(letters | digits | spaces | foreign)
    symbols = firsts(others) & ~after(blanks)  # a space in front belongs to them
    begins = firsts(letters) & ~after((spaces & ~breaks) | symbols) | symbols
    if rule == O200K:
        capitals = bytes_like(text, i, 65, 26, 0)
        begins |= capitals & after(letters & ~capitals)
    quotes = bytes_like(text, i, 39, 1, 0) & symbols & ((letters | foreign) >> ONE | HIGHEST)
    if rule == O200K:
        quotes &= after(letters)
    if quotes:
        begins = with_contractions(text, i, begins, quotes, letters, rule)
    fourth = digits & after(digits) & digits << TWO & digits << THREE
    groups = firsts(digits)
    while groups:
        begins |= groups
        groups = (groups << THREE) & fourth
    tails = breaks & ~(breaks + (breaks & after(others)))  # line breaks that belong to symbols
    if rule == O200K:
        foreign |= bytes_like(text, i, 47, 1, 0) & after(tails)  # and a slash behind them
    spaces &= ~tails
    inner = spaces & ~breaks
    begins |= firsts(spaces) | without_inner(inner, breaks)
    begins |= (behind(inner) & ~breaks) >> ONE
    return begins & known(spaces, foreign)


@lean(forceinline=True)
def next_begins(text, i, stop, splitting):
    """Where pieces begin behind the one at byte i of a segment that ends at `stop`.

    Bit k stands for byte i + k; none for more than it is certain about. 0: look for the end of the
    piece at i by itself.
    """
    if splitting.rule == GIVEN or i + AHEAD > text.size:
        return ZERO
    foreign = bytes_like(text, i, 128, 128, 0)
    if stop - i < WINDOW:
        foreign |= ALL << np.uint64(stop - i)
    if foreign & THREE:
        return ZERO
    if splitting.rule == GPT2:
        return gpt2_begins(text, i, foreign) & ~ONE
    return later_begins(text, i, foreign, splitting.rule) & ~ONE


@lean(forceinline=True)
def next_piece(text, i, stop, splitting):
    """Bytes of the piece at byte i of a segment that ends at `stop`, by a ``Splitting``."""
    if splitting.rule == GIVEN:
        return stop - i
    return piece_end(text, i, stop, splitting.rule, splitting.classes) - i
