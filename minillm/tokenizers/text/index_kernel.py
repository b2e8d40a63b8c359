"""Finding the number of a key: small tables, so that they stay in the processor's caches.

What a number stands for (a piece, an entry, a pair of ids) stands in an array of records, in order
of the numbers: the most frequent ones, which mostly come first, lie side by side. The hash table
has only a uint32 for each slot: the number plus one in its low bits (0 is free), and above them
bits of the hash, so that the record of another key is hardly ever looked at. At most half of the
slots are filled.
"""

from collections import namedtuple

import numpy as np

from .machine_kernel import lean, trailing_zeros
from .memories import power_of_two
from .pieces_kernel import (
    ID,
    MIX1,
    MIX3,
    ONE,
    S8,
    S29,
    S64,
    SHORT,
    ZERO,
    long_hash,
    mixed,
    same_bytes,
    short_key,
)

S20, S26, BIT = (np.uint64(k) for k in (20, 26, 63))

# slots: the hash table. keys: (V, 2) uint64, the ``short_key`` of each entry that has one. data,
# starts: the bytes of all entries.
Entries = namedtuple("Entries", "slots keys data starts")


@lean(forceinline=True)
def first_slot(hashed, slots):
    """The slot at which to look for a key first; the top bits of a hash are the best ones."""
    return hashed >> (S64 - trailing_zeros(np.uint64(slots.size)))


@lean(forceinline=True)
def tag_of(hashed, slots):
    """The bits of the hash that a slot holds."""
    return (hashed >> S8) & ID & ~np.uint64(slots.size - 1)


@lean(forceinline=True)
def candidate(slots, hashed, slot):
    """(a number, from a slot on, whose key may have this hash, or -1 for none; the next slot)."""
    tag, last = tag_of(hashed, slots), np.uint64(slots.size - 1)
    while True:
        found = np.uint64(slots[slot & last])
        slot += ONE
        if found == ZERO:
            return np.int64(-1), slot
        if found & ~last == tag:
            return np.int64(found & last) - 1, slot


@lean
def put_number(slots, hashed, number):
    """Put a number where its key belongs, which is not there yet."""
    slot, last = first_slot(hashed, slots), np.uint64(slots.size - 1)
    while slots[slot] != 0:
        slot = (slot + ONE) & last
    slots[slot] = np.uint32(tag_of(hashed, slots) | np.uint64(number + 1))


@lean(forceinline=True)
def short_entry(low, high, entries):
    """Id of the entry with this ``short_key``, or -1."""
    slots, keys, hashed = entries.slots, entries.keys, mixed(low, high)
    slot = first_slot(hashed, slots)
    while True:
        id, slot = candidate(slots, hashed, slot)
        if id < 0 or (keys[id, 0] == low and keys[id, 1] == high):
            return id


@lean
def long_entry(text, i, length, entries):
    """The same for an entry of more than SHORT bytes."""
    slots, starts, hashed = entries.slots, entries.starts, long_hash(text, i, length) * MIX3
    slot = first_slot(hashed, slots)
    while True:
        id, slot = candidate(slots, hashed, slot)
        if id < 0 or (starts[id + 1] - starts[id] == length
                      and same_bytes(text, i, entries.data, starts[id], length)):
            return id


@lean(forceinline=True)
def entry_at(text, i, length, entries):
    """Id of the entry that is exactly text[i : i + length], or -1."""
    if length <= SHORT:
        low, high = short_key(text, i, length)
        return short_entry(low, high, entries)
    return long_entry(text, i, length, entries)


@lean(cache=True)
def fill_slots(entries):
    """Put all entries but empty ones into `slots`, which are 0; of equal ones the first stays."""
    starts = entries.starts
    for id in range(starts.size - 1):
        start, length = starts[id], starts[id + 1] - starts[id]
        if length == 0 or entry_at(entries.data, start, length, entries) >= 0:
            continue
        if length <= SHORT:
            low, high = short_key(entries.data, start, length)
            entries.keys[id, 0], entries.keys[id, 1] = low, high
            put_number(entries.slots, mixed(low, high), id)
        else:
            put_number(entries.slots, long_hash(entries.data, start, length) * MIX3, id)


def entries_of(names):
    """The Entries of a list of byte strings; an empty one is no entry."""
    starts = np.concatenate([[0], np.cumsum([len(name) for name in names])]).astype(np.int64)
    return entries_in(np.frombuffer(b"".join(names) or b"\0", np.uint8), starts)


def entries_in(data, starts):
    """The same of data[starts[k] : starts[k + 1]], for all k."""
    count = len(starts) - 1
    slots = np.zeros(power_of_two(2 * count), np.uint32)
    entries = Entries(slots, np.zeros((count, 2), np.uint64), data, starts)
    fill_slots(entries)
    return entries


@lean(cache=True, nogil=True)
def find_entries(data, spans, entries, found):
    """Numbers (n,) among the entries of strings data[spans[k, 0] : spans[k, 1]]; -1 for none."""
    for k in range(spans.shape[0]):
        start, length = spans[k, 0], spans[k, 1] - spans[k, 0]
        found[k] = entry_at(data, start, length, entries) if length > 0 else -1


@lean(cache=True)
def find_merges(data, edges, entries, found):
    """Numbers (n, 3) among the entries of two strings and of both together; -1 for what is none.

    edges (n, 3): where in `data` the first begins, the second begins, and both end.
    """
    for k in range(edges.shape[0]):
        start, middle, end = edges[k]
        found[k, 0] = entry_at(data, start, middle - start, entries)
        found[k, 1] = entry_at(data, middle, end - middle, entries)
        found[k, 2] = entry_at(data, start, end - start, entries)


@lean(forceinline=True)
def pair_hash(key):
    """Hash of the ``pair_key`` of two numbers."""
    h = key * MIX1
    return (h ^ (h >> S29)) * MIX3


@lean(forceinline=True)
def may_hold(bits, key):
    """Is this key in a Bloom filter (n,) uint64, a power of two? A few others seem to be too."""
    hashed = pair_hash(key)
    wanted = ONE << (hashed >> S20 & BIT) | ONE << (hashed >> S26 & BIT)
    return bits[first_slot(hashed, bits)] & wanted == wanted


@lean
def put_bits(bits, key):
    """Put a key into a Bloom filter."""
    hashed = pair_hash(key)
    bits[first_slot(hashed, bits)] |= ONE << (hashed >> S20 & BIT) | ONE << (hashed >> S26 & BIT)
