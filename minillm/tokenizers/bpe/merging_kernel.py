"""Applying merges to one piece, fast for short pieces and for endless ones.

The definition is ``apply_merges`` in ``merges.py``: join the pair of lowest rank, the leftmost
first, until none is left.
"""

from collections import namedtuple

import numpy as np

from ..text.index_kernel import candidate, first_slot, pair_hash, put_number
from ..text.machine_kernel import lean
from ..text.memories import power_of_two
from ..text.pieces_kernel import ALL, ID, S32, pair_key

NO_PAIR = ALL
RANKS = 1 << 24  # more than there are merges; ``long_words_kernel`` has no bits for higher ones

# slots: a hash table of ``index_kernel``. rows: (merges, 2) uint64, the ``pair_key`` of two ids and
# rank << 32 | merged id, in the order of the merges.
Pairs = namedtuple("Pairs", "slots rows")


@lean(forceinline=True)
def row_of(pairs, left, right):
    """The row of a pair, or -1."""
    key = pair_key(left, right)
    hashed = pair_hash(key)
    slot = first_slot(hashed, pairs.slots)
    while True:
        row, slot = candidate(pairs.slots, hashed, slot)
        if row < 0 or pairs.rows[row, 0] == key:
            return row


@lean(forceinline=True)
def pair_value(pairs, left, right):
    """rank << 32 | merged id of a pair, or NO_PAIR."""
    row = row_of(pairs, left, right)
    return pairs.rows[row, 1] if row >= 0 else NO_PAIR


@lean(cache=True)
def byte_pair_values(byte_ids, pairs, values):
    """The value of each two bytes (65536,), the first one times 256."""
    for left in range(256):
        for right in range(256):
            values[left << 8 | right] = pair_value(pairs, byte_ids[left], byte_ids[right])


@lean(cache=True)
def fill_pairs(lefts, rights, merged, ranks, pairs):
    """Fill empty ``Pairs``; of pairs given twice the first stays."""
    for k in range(lefts.size):
        if pair_value(pairs, lefts[k], rights[k]) == NO_PAIR:
            key = pair_key(lefts[k], rights[k])
            pairs.rows[k, 0] = key
            pairs.rows[k, 1] = np.uint64(ranks[k]) << S32 | np.uint64(merged[k])
            put_number(pairs.slots, pair_hash(key), k)


def pairs_of(merges, ranks):
    """The ``Pairs`` of merges (n, 3), left, right and merged ids, and their ranks (n,)."""
    if len(merges) and np.max(ranks) >= RANKS:
        ranks = np.unique(ranks, return_inverse=True)[1]  # their order alone counts
    slots = np.zeros(power_of_two(2 * len(merges)), np.uint32)
    pairs = Pairs(slots, np.zeros((len(merges), 2), np.uint64))
    columns = (np.ascontiguousarray(column, np.int32) for column in np.reshape(merges, (-1, 3)).T)
    fill_pairs(*columns, np.ascontiguousarray(ranks, np.int64), pairs)
    return pairs


@lean(forceinline=True)
def merge_scanning(symbols, values, count, pairs, fewest=1):
    """Merge `symbols[:count]` in place; return how many are left. O(count²), for short pieces.

    It stops where `fewest` are left.
    """
    for k in range(count - 1):
        values[k] = pair_value(pairs, symbols[k], symbols[k + 1])
    return merge_valued(symbols, values, count, pairs, fewest)


@lean(forceinline=True)
def merge_valued(symbols, values, count, pairs, fewest=1):
    """The same, where `values` holds the values of the pairs already."""
    while count > fewest:
        least, where = ~ID, -1  # the rank alone decides, not the id that is made
        for k in range(count - 1):
            if values[k] < least:
                least, where = values[k] & ~ID, k
        if where < 0:
            break
        symbols[where] = np.int32(values[where] & ID)
        count -= 1
        for k in range(where + 1, count):
            symbols[k] = symbols[k + 1]
            values[k - 1] = values[k]
        if where > 0:
            values[where - 1] = pair_value(pairs, symbols[where - 1], symbols[where])
        if where + 1 < count:
            values[where] = pair_value(pairs, symbols[where], symbols[where + 1])
    return count


@lean
def sift_up(heap, k):
    """Move the entry at k up to where it belongs.

    The heap has four children to a parent: half as many levels, and neighbours in memory.
    """
    item = heap[k]
    while k > 0:
        parent = (k - 1) >> 2
        if heap[parent] <= item:
            break
        heap[k] = heap[parent]
        k = parent
    heap[k] = item


@lean
def sift_down(heap, size, k):
    """Move the entry at k down to where it belongs in a heap of `size` entries."""
    item = heap[k]
    while 4 * k + 1 < size:
        child = 4 * k + 1
        for other in range(child + 1, min(child + 4, size)):
            if heap[other] < heap[child]:
                child = other
        if heap[child] >= item:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = item


@lean
def merge_linked(symbols, count, pairs, following, before, heap):
    """The same in O(count log count), but -1 stays where a symbol was joined to the one before it.

    A heap holds rank << 32 | place of the pairs, at most 3 count of them. The next symbol after k
    is at following[k], the last one's is `count`; the one before it is at before[k].
    """
    size = 0
    for k in range(count):
        following[k], before[k] = k + 1, k - 1
        if k + 1 < count:
            value = pair_value(pairs, symbols[k], symbols[k + 1])
            if value != NO_PAIR:
                heap[size] = (value & ~ID) | np.uint64(k)
                sift_up(heap, size)
                size += 1
    while size > 0:
        top = heap[0]
        size -= 1
        heap[0] = heap[size]
        sift_down(heap, size, 0)
        k = int(top & ID)
        if symbols[k] < 0 or following[k] >= count:
            continue
        right = following[k]
        value = pair_value(pairs, symbols[k], symbols[right])
        if value == NO_PAIR or (value & ~ID) != (top & ~ID):
            continue  # the pair has changed since it was pushed
        symbols[k] = np.int32(value & ID)
        symbols[right] = -1
        following[k] = following[right]
        if following[k] < count:
            before[following[k]] = k
        for start in (before[k], np.int32(k)):
            if start >= 0 and following[start] < count:
                value = pair_value(pairs, symbols[start], symbols[following[start]])
                if value != NO_PAIR:
                    heap[size] = (value & ~ID) | np.uint64(start)
                    sift_up(heap, size)
                    size += 1
