"""Remembering the ids of pieces: one memory for one call at a time (``memories.py``)."""

from collections import namedtuple

import numpy as np

from .machine_kernel import lean
from .pieces_kernel import (
    ID,
    ONE,
    S32,
    THREE,
    TWO,
    ZERO,
    long_hash,
    same_bytes,
)

LONGEST = 128  # bytes of the longest piece that is remembered


@lean
def remember(memory, at, table, count):
    """Put the ids of a piece, which are in `memory.symbols`, into its slot."""
    symbols = memory.symbols
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
def forget_if_full(memory):
    """Empty the memory when a table is 60 % full or a store has no room for one more piece."""
    used = memory.used
    if (
        used[0] * 5 > memory.short.size // 4 * 3
        or used[2] * 5 > memory.long.size // 4 * 3
        or used[1] + LONGEST > memory.arena.size
        or used[3] + LONGEST > memory.stored.size
    ):
        for k in range(memory.short.size):
            memory.short[k] = ZERO
        for k in range(memory.long.size):
            memory.long[k] = ZERO
        for k in range(used.size):
            used[k] = 0


@lean
def recall(memory, table, at, out, n):
    """Copy the ids in a slot to out[n:]; return where they end."""
    first, second = table[at + TWO], table[at + THREE]
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


Memory = namedtuple("Memory", "short long stored arena used symbols values")


@lean
def whole_piece(text, i, length, words):
    """Id of the vocabulary entry that is exactly this piece, or -1."""
    last = np.uint64(words.slots.size - 1)
    slot = long_hash(text, i, length) >> np.uint64(20)
    while True:
        slot &= last
        found = words.slots[slot]
        if found < 0:
            return -1
        start = words.starts[found]
        if words.starts[found + 1] - start == length and same_bytes(
            text, i, words.data, start, length
        ):
            return found
        slot += ONE
