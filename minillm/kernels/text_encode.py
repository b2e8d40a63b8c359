"""Text to ids in one pass: find a piece, look it up, and merge only what was never seen before.

Natural text repeats itself: almost every piece has been seen, so most of the time is spent finding
where pieces end (``text_scan``) and finding them in a table (``text_pieces``). A remembered piece
keeps up to three ids in its slot, more in `arena`. A full memory is emptied and filled again.
"""

from collections import namedtuple

import numpy as np

from .text_ascii import BLOCK, plain_length
from .text_machine import lean, trailing_zeros
from .text_merge import ID, merge_scanning
from .text_pieces import (
    ONE,
    S24,
    S32,
    SHORT,
    THREE,
    TWO,
    ZERO,
    long_hash,
    long_slot,
    same_bytes,
    short_key,
    short_slot,
)
from .text_scan import piece_end

LONGEST = 128  # bytes of the longest piece that is remembered

Vocabulary = namedtuple("Vocabulary", "byte_ids pairs whole slots data starts")
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


@lean(cache=True)
def fill_slots(data, starts, slots):
    """Hash table over vocabulary entries: slots hold ids, -1 is free. The first entry wins."""
    last = np.uint64(slots.size - 1)
    for token in range(starts.size - 1):
        length = starts[token + 1] - starts[token]
        if length == 0:
            continue
        slot = long_hash(data, starts[token], length) >> np.uint64(20)
        while True:
            slot &= last
            found = slots[slot]
            if found < 0:
                slots[slot] = token
                break
            if starts[found + 1] - starts[found] == length and same_bytes(
                data, starts[token], data, starts[found], length
            ):
                break
            slot += ONE


@lean
def merge_piece(text, i, end, words, memory):
    """Ids of one piece of at most LONGEST bytes, into `memory.symbols`; returns how many."""
    symbols = memory.symbols
    if words.whole:
        found = whole_piece(text, i, end - i, words)
        if found >= 0:
            symbols[0] = found
            return 1
    count = 0
    for k in range(i, end):
        first = words.byte_ids[text[k]]
        if first >= 0:
            symbols[count] = first
            count += 1
    return merge_scanning(symbols, memory.values, count, words.pairs)


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


@lean(cache=True, nogil=True)
def encode(text, segments, rule, classes, words, memory, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `progress` is (segment, byte, ids so far),
    zeros at first. The kernel stops at a piece longer than LONGEST and returns its length, for the
    caller to merge, or 0 when all is done.
    """
    n = progress[2]
    short, long = memory.short, memory.long
    short_shift = np.uint64(64) - trailing_zeros(np.uint64(short.size // 4))
    long_shift = np.uint64(64) - trailing_zeros(np.uint64(long.size // 4))
    safe = text.size - BLOCK
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == progress[0]:
            i = max(i, progress[1])
        while i < stop:
            length = 0
            low, high = ZERO, ZERO
            if i <= safe:
                length = plain_length(text, i, stop, rule)
            if length == 0:
                length = piece_end(text, i, stop, rule, classes) - i
            if length <= SHORT:
                low, high = short_key(text, i, length)
                at = short_slot(short, short_shift, low, high)
                if short[at + ONE] == ZERO:
                    count = merge_piece(text, i, i + length, words, memory)
                    short[at], short[at + ONE] = low, high
                    remember(memory, at, short, count)
                    memory.used[0] += 1
                    n = recall(memory, short, at, out, n)
                    forget_if_full(memory)
                else:
                    n = recall(memory, short, at, out, n)
            elif length <= LONGEST:
                hashed = long_hash(text, i, length)
                at = long_slot(long, long_shift, hashed, text, i, length, memory.stored)
                if long[at] == ZERO:
                    count = merge_piece(text, i, i + length, words, memory)
                    place = memory.used[3]
                    for k in range(length):
                        memory.stored[place + k] = text[i + k]
                    memory.used[3] = place + length
                    long[at] = hashed
                    long[at + ONE] = np.uint64(place) << S24 | np.uint64(length)
                    remember(memory, at, long, count)
                    memory.used[2] += 1
                    n = recall(memory, long, at, out, n)
                    forget_if_full(memory)
                else:
                    n = recall(memory, long, at, out, n)
            else:
                progress[0], progress[1], progress[2] = s, i, n
                return length
            i += length
        ends[s] = n
    progress[0], progress[1], progress[2] = segments.shape[0], 0, n
    return 0
