"""Pairs of symbols in words: how often each stands there, and in which words; a heap of them.

The counts must be those of ``count_pairs`` in ``minillm/tokenizers/bpe/merges.py``. The first entry
(count, order, key) of the heap must be the one that ``min`` by the learner's order would find.
"""

from collections import namedtuple
from collections.abc import Callable

import numpy as np

from ..text.machine_kernel import lean, njit
from ..text.pieces_kernel import ID, ONE, S32, ZERO, pair_key, pair_slot

NODES, FRESH, LIVING, SIZE, TWICE = range(5)  # places in `used`

# Pairs as keys in an open-addressing table, how often each stands in words, heads of lists or -1.
Pairs = namedtuple("Pairs", "keys counts heads")
# The list nodes of pairs: a word and the next node. fresh: keys that have come since the last
# merge. used: nodes, fresh keys, living pairs, entries of the heap, and a word in which two tokens
# of the last merge stand side by side (-1: none).
Lists = namedtuple("Lists", "words nexts fresh used")


@lean(forceinline=True)
def find(pairs, key):
    """Slot of a pair, or the free slot where it belongs."""
    return np.int64(pair_slot(pairs.keys, key, 1))


@lean(forceinline=True)
def parts(key):
    """The two tokens of a pair."""
    return np.int64((key - ONE) >> S32), np.int64((key - ONE) & ID)


@njit
def table_of(slots):
    """An empty table of pairs with so many slots, a power of two."""
    keys, counts = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
    return Pairs(keys, counts, np.zeros(slots, np.int32))


@lean
def move(pairs, larger):
    """Put the living pairs into a larger table; returns how many there are."""
    living = 0
    for s in range(pairs.keys.size):
        if pairs.keys[s] != ZERO and pairs.counts[s] > 0:
            t = find(larger, pairs.keys[s])
            larger.keys[t], larger.heads[t] = pairs.keys[s], pairs.heads[s]
            larger.counts[t] = pairs.counts[s]
            living += 1
    return living


@lean(forceinline=True)
def slots_for(length, used):
    """Slots that a table needs before a word of so many symbols is joined."""
    return (used[LIVING] + used[FRESH] + 2 * length) * 2


@njit
def grown(pairs, lists, length):
    """A table with enough slots for a word of so many symbols, with the living pairs in it."""
    slots = pairs.keys.size * 2
    while slots < slots_for(length, lists.used):
        slots *= 2
    larger = table_of(slots)
    lists.used[LIVING] = move(pairs, larger) - lists.used[FRESH]
    return larger


@lean
def add(pairs, lists, key, times, word):
    """Count a pair `times` more in `word`."""
    used = lists.used
    s = find(pairs, key)
    if pairs.keys[s] == ZERO:
        pairs.keys[s], pairs.heads[s], pairs.counts[s] = key, -1, 0
        lists.fresh[used[FRESH]] = key
        used[FRESH] += 1
    pairs.counts[s] += times
    head = pairs.heads[s]
    if head < 0 or lists.words[head] != word:
        node = used[NODES]
        lists.words[node], lists.nexts[node] = word, head
        pairs.heads[s] = node
        used[NODES] = node + 1


@lean
def count_pairs(words, pairs, lists):
    """Count the pairs of all words."""
    for w in range(words.lengths.size):
        for k in range(words.offsets[w], words.offsets[w] + words.lengths[w] - 1):
            key = pair_key(words.symbols[k], words.symbols[k + 1])
            add(pairs, lists, key, words.times[w], w)


Heap = namedtuple("Heap", "counts orders keys")


@lean(forceinline=True)
def entry_of(heap, k):
    """Entry k of the heap: (count, order, key)."""
    return heap.counts[k], heap.orders[k], heap.keys[k]


@lean(forceinline=True)
def put_entry(heap, k, entry):
    """Make `entry` entry k of the heap."""
    heap.counts[k], heap.orders[k], heap.keys[k] = entry


def heap_ordered_by(before: Callable) -> tuple[Callable, Callable]:
    """(push, sink) for a kernel ``before(entry, other, tokens)``: does an entry come first?

    Compiled in, for a function that is handed over as an argument keeps kernels off the disk.
    """

    @lean
    def push(heap, size, entry, tokens):
        """Add an entry to the heap of `size` entries."""
        k = size
        while k > 0:
            up = (k - 1) >> 1
            if not before(entry, entry_of(heap, up), tokens):
                break
            put_entry(heap, k, entry_of(heap, up))
            k = up
        put_entry(heap, k, entry)

    @lean
    def sink(heap, size, entry, tokens):
        """Replace the top of the heap of `size` entries by this one."""
        k = 0
        while 2 * k + 1 < size:
            c = 2 * k + 1
            if c + 1 < size and before(entry_of(heap, c + 1), entry_of(heap, c), tokens):
                c += 1
            if not before(entry_of(heap, c), entry, tokens):
                break
            put_entry(heap, k, entry_of(heap, c))
            k = c
        put_entry(heap, k, entry)

    return push, sink
