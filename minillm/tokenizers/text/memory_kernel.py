"""A memory of pieces: the ids of those seen before, found again by their bytes.

What it gives back must equal what the family's definition gives for the piece. Tables are those of
``pieces_kernel``. A slot's value is up to three ids and their number, or a place in `arena` and
the number of ids there.
"""

from collections import namedtuple

import numpy as np

from .machine_kernel import lean
from .pieces_kernel import ID, ONE, S24, S32, SHORT, THREE, TWO, ZERO, find_slot

LONGEST = 128  # bytes of the longest piece that is remembered

# short, long: the tables, uint64. stored: bytes of long pieces. arena: ids, int32. used: how much
# of short, arena, long and stored is. symbols: the ids of a piece that is being made. values: room
# to work on them.
Memory = namedtuple("Memory", "short long stored arena used symbols values")


def new_memory(short, long, stored, arena):
    """An empty memory with so many slots for short and for long pieces, bytes and ids."""
    return Memory(
        np.zeros(4 * short, np.uint64), np.zeros(4 * long, np.uint64), np.empty(stored, np.uint8),
        np.empty(arena, np.int32), np.zeros(4, np.int64), np.zeros(LONGEST, np.int32),
        np.zeros(LONGEST, np.uint64),
    )


@lean(forceinline=True)
def slot_in(memory, text, i, length):
    """The ``Slot`` of the piece text[i : i + length], of at most LONGEST bytes."""
    return find_slot(text, i, length, memory.short, memory.long, memory.stored)


@lean
def keep_ids(memory, slot, count):
    """Put the ids of a piece, which are in `memory.symbols`, into its slot."""
    symbols, table, at = memory.symbols, slot.table, slot.at
    if count <= 3:
        table[at + TWO] = np.uint64(symbols[0]) & ID | np.uint64(symbols[1]) << S32
        table[at + THREE] = np.uint64(symbols[2]) & ID | np.uint64(count) << S32
        return
    used = memory.used[1]
    for k in range(count):
        memory.arena[used + k] = symbols[k]
    table[at + TWO] = np.uint64(used)
    table[at + THREE] = np.uint64(count) << S32
    memory.used[1] = used + count


@lean
def remember(memory, slot, text, i, length, count, out, n):
    """Keep the `count` ids in `memory.symbols` for a piece, and copy them to out[n:].

    slot: the free one of the piece text[i : i + length]. Returns where the ids end.
    """
    table, at = slot.table, slot.at
    table[at], table[at + ONE] = slot.low, slot.high
    if length > SHORT:
        place = memory.used[3]
        for k in range(length):
            memory.stored[place + k] = text[i + k]
        memory.used[3] = place + length
        table[at + ONE] = np.uint64(place) << S24 | np.uint64(length)
    memory.used[0 if length <= SHORT else 2] += 1
    keep_ids(memory, slot, count)
    n = recall(memory, slot, out, n)
    forget_if_full(memory)
    return n


@lean
def forget_if_full(memory):
    """Empty the memory when a table is 60 % full or a store has no room for one more piece."""
    used = memory.used
    if (
        used[0] * 5 > memory.short.size // 4 * 3
        or used[2] * 5 > memory.long.size // 4 * 3
        or used[1] + memory.symbols.size > memory.arena.size
        or used[3] + LONGEST > memory.stored.size
    ):
        for k in range(memory.short.size):
            memory.short[k] = ZERO
        for k in range(memory.long.size):
            memory.long[k] = ZERO
        for k in range(used.size):
            used[k] = 0


@lean
def recall(memory, slot, out, n):
    """Copy the ids in a slot to out[n:], where three have room; return where they end."""
    first, second = slot.table[slot.at + TWO], slot.table[slot.at + THREE]
    count = np.int64(second >> S32)
    if count <= 3:
        out[n] = np.int32(first & ID)
        out[n + 1] = np.int32(first >> S32)
        out[n + 2] = np.int32(second & ID)
    else:
        start = np.int64(first)
        for k in range(count):
            out[n + k] = memory.arena[start + k]
    return n + count
