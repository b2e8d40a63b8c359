"""Finding the entry of a vocabulary that is a given byte string: what a dict of them would say.

The bytes of entry e are data[starts[e] : starts[e + 1]]; `slots` is an open-addressing table of
entries, -1 where it is free, of a power of two in size.
"""

from collections import namedtuple

import numpy as np

from .machine_kernel import lean
from .memories import power_of_two
from .pieces_kernel import ONE, long_hash, same_bytes

Entries = namedtuple("Entries", "slots data starts")


@lean
def entry_slot(text, i, length, entries):
    """Slot of the entry that is text[i : i + length], or the free slot where it belongs."""
    last = np.uint64(entries.slots.size - 1)
    slot = (long_hash(text, i, length) >> np.uint64(20)) & last
    while True:
        found = entries.slots[slot]
        if found < 0:
            return slot
        start = entries.starts[found]
        if entries.starts[found + 1] - start == length and same_bytes(
            text, i, entries.data, start, length
        ):
            return slot
        slot = (slot + ONE) & last


@lean
def entry_at(text, i, length, entries):
    """Id of the entry that is exactly text[i : i + length], or -1."""
    return entries.slots[entry_slot(text, i, length, entries)]


@lean(cache=True)
def fill_slots(entries):
    """Put all entries but empty ones into `slots`, which are -1; of equal ones the first stays."""
    starts = entries.starts
    for token in range(starts.size - 1):
        length = starts[token + 1] - starts[token]
        if length > 0:
            slot = entry_slot(entries.data, starts[token], length, entries)
            if entries.slots[slot] < 0:
                entries.slots[slot] = token


def entries_of(names):
    """The Entries of a list of byte strings; an empty one is no entry."""
    starts = np.concatenate([[0], np.cumsum([len(name) for name in names])]).astype(np.int64)
    slots = np.full(power_of_two(2 * len(names)), -1, np.int32)
    entries = Entries(slots, np.frombuffer(b"".join(names) or b"\0", np.uint8), starts)
    fill_slots(entries)
    return entries
