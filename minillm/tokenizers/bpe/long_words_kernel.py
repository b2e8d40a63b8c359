"""Merging a long word window by window: small tables, and no list of the whole word's pairs.

Merges are local. Where the merges of two windows that overlap leave the same token at the same
place, no merge of the whole word reaches across that token's ends: the first that did would be the
first in one of the windows too. So the tokens of the one window up to this token and those of the
other from it on are the tokens of the whole. Windows that agree on nothing are made larger.
"""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import lean
from ..text.pieces_kernel import ID, S32
from .merging_kernel import NO_PAIR, merge_linked, pair_value

WINDOW = 1 << 7  # symbols of a window
RANKED, PLACE = np.uint32(7), np.uint32(WINDOW - 1)  # the place stands in 7 bits below the rank
UNRANKED = np.uint32(0xFFFFFFFF)
LARGER = 1 << 10  # of a window where small ones disagree
OVERLAP = 16  # symbols of a window that the next one sees too

# symbols, following, before: of the window, see ``merge_linked``, with its heap. ranks: of the pair
# that begins at each place, rank << RANKED | place, or UNRANKED. made: what this pair becomes.
Room = namedtuple("Room", "symbols following before heap ranks made")


def new_room(length):
    """Room to merge a word of `length` symbols."""
    size = max(length, LARGER)
    return Room(
        np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32),
        np.empty(3 * size, np.uint64), np.empty(WINDOW, np.uint32), np.empty(WINDOW, np.int32),
    )


@lean(forceinline=True)
def rank_pair(room, k, right, pairs):
    """Write down the rank of the pair at places k and `right`."""
    value = pair_value(pairs, room.symbols[k], room.symbols[right])
    if value == NO_PAIR:
        room.ranks[k] = UNRANKED
    else:
        room.ranks[k] = np.uint32(value >> S32) << RANKED | np.uint32(k)
        room.made[k] = np.int32(value & ID)


@lean
def merge_window(room, count, pairs):
    """Merge the `count` symbols of a window: the smallest of all ranks, again and again."""
    ranks, following, before = room.ranks, room.following, room.before
    for k in range(count):
        following[k], before[k], ranks[k] = k + 1, k - 1, UNRANKED
        if k + 1 < count:
            rank_pair(room, k, k + 1, pairs)
    while True:
        least = UNRANKED
        for k in range(count):
            least = min(least, ranks[k])
        if least == UNRANKED:
            return
        left = np.int64(least & PLACE)
        gone = following[left]
        right = following[gone]
        room.symbols[left], room.symbols[gone] = room.made[left], -1
        ranks[left] = ranks[gone] = UNRANKED
        following[left] = right
        if right < count:
            before[right] = left
            rank_pair(room, left, right, pairs)
        if before[left] >= 0:
            rank_pair(room, before[left], left, pairs)


@lean
def merge_part(symbols, start, size, pairs, room):
    """Merge symbols[start : start + size] in the room."""
    for k in range(size):
        room.symbols[k] = symbols[start + k]
    if size <= WINDOW:
        merge_window(room, size, pairs)
    else:
        merge_linked(room.symbols, size, pairs, room.following, room.before, room.heap)


@lean
def repeats(symbols, start, before, size):
    """Do the `size` symbols from `start` on equal those from `before` on?"""
    differing = 0
    for k in range(size):
        differing += symbols[start + k] != symbols[before + k]
    return differing == 0


@lean
def cut_of(room, size):
    """The last place before the overlap where a token of the window begins."""
    k = max(size - OVERLAP, 0)
    while k > 0 and room.symbols[k] < 0:
        k -= 1
    return k


@lean(cache=True, nogil=True)
def merge_long(symbols, count, pairs, room, out):
    """Merge `symbols[:count]` into `out`; returns how many are left."""
    start, n, first, size = 0, 0, 0, WINDOW
    held_start, held_n, held_first, held_size = 0, 0, 0, 0  # the window before
    while True:
        size = min(size, count - start)
        if size != WINDOW or held_size != WINDOW or not repeats(symbols, start, held_start, size):
            merge_part(symbols, start, size, pairs, room)
        last = start + size == count
        cut = size if last else cut_of(room, size)
        if first > 0 and room.following[0] != first:  # the two windows disagree
            if size <= WINDOW and held_size == WINDOW:
                start, n, first, size = held_start, held_n, held_first, LARGER
            else:
                start, n, first, size = 0, 0, 0, count
            held_size = 0
            continue
        if cut == 0 and not last:  # a single token
            size, held_size = LARGER if size <= WINDOW else count, 0
            continue
        held_start, held_n, held_first, held_size = start, n, first, size
        for k in range(cut):
            if room.symbols[k] >= 0:
                out[n] = room.symbols[k]
                n += 1
        if last:
            return n
        first = room.following[cut] - cut
        start, size = start + cut, WINDOW
