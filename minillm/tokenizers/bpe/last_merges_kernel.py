"""Which merges can ever happen: those that come last when an entry itself is encoded.

What is merged inside a stretch of text depends on nothing outside until a merge reaches across its
ends. So where a token arises in any text, it arises by the merges that make it of its own symbols
alone, and a pair that does not come last there never becomes this token. A vocabulary of ranks
allows every cut of each token as a pair; without those that never happen, half of the pairs are
left, and what is looked up stays in the processor's caches.
"""

import numpy as np

from ..text.machine_kernel import lean
from ..text.pieces_kernel import ID, ONE, S32, same_bytes
from .merging_kernel import merge_scanning, pairs_of, row_of

LONGEST = 1 << 10  # symbols of an entry that is tried


@lean(cache=True)
def find_last(symbols, starts, pairs, made, last, room, values):
    """Mark the entries that their merges make, and the rows of `pairs` that come last in one.

    Entry t has the symbols[starts[t] : starts[t + 1]], negative where there is none.
    """
    for t in range(starts.size - 1):
        count, known = starts[t + 1] - starts[t], True
        if count > room.size:
            continue
        for k in range(count):
            room[k] = symbols[starts[t] + k]
            known = known and room[k] >= 0
        if count == 1 and known:
            made[t] = room[0] == t
        if count > 1 and known and merge_scanning(room, values, count, pairs, 2) == 2:
            row = row_of(pairs, room[0], room[1])
            if row >= 0:
                last[row] = True
                made[t] = np.int64(pairs.rows[row, 1] & ID) == t


@lean(cache=True)
def are_joined(merges, data, starts):
    """Does each merge (left, right, merged) make the bytes of its parts, one after the other?"""
    for k in range(merges.shape[0]):
        left, right, merged = merges[k]
        first, size = starts[left + 1] - starts[left], starts[merged + 1] - starts[merged]
        at = starts[merged]
        if (first == 0 or first >= size or size - first != starts[right + 1] - starts[right]
                or not same_bytes(data, at, data, starts[left], first)
                or not same_bytes(data, at + first, data, starts[right], size - first)):
            return False
    return True


def last_merges(symbols, starts, pairs):
    """(made (V,), last (merges,)): is each entry what its symbols are merged to; may each merge
    happen, where ``are_joined``?"""
    made = np.zeros(len(starts) - 1, bool)
    last = np.zeros(len(pairs.rows), bool)
    find_last(symbols, starts, pairs, made, last,
              np.empty(LONGEST, np.int32), np.empty(LONGEST, np.uint64))
    sizes = np.diff(starts)
    return made, last | (sizes[(pairs.rows[:, 1] & ID).astype(np.int64)] > LONGEST)


def some_pairs(pairs, chosen):
    """The ``Pairs`` with only the chosen rows (merges,)."""
    keys, values = pairs.rows[chosen].T
    merges = np.stack([keys - ONE >> S32, keys - ONE & ID, values & ID], 1)
    return pairs_of(merges.astype(np.int32), (values >> S32).astype(np.int64))
