"""Text to ids in one pass: find a piece, look it up, and merge only what was never seen before.

Natural text repeats itself: almost every piece has been seen, so most of the time is spent finding
where pieces end (``text_scan``) and finding them in a table (``text_pieces``). A remembered piece
keeps up to three ids in its slot, more in `arena`. A full memory is emptied and filled again.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from .text_merge import ID, merge
from .text_pieces import (
    LETTERS,
    ONE,
    S24,
    S32,
    S56,
    SHORT,
    SLOW,
    THREE,
    TWO,
    ZERO,
    long_hash,
    long_slot,
    low_bytes,
    same_bytes,
    short_key,
    short_slot,
    word_length,
)
from .text_scan import O200K, load64, piece_end

LONGEST = 256  # bytes of the longest piece that is remembered
MAX_SYMBOLS = 64

Vocabulary = namedtuple("Vocabulary", "byte_ids pairs whole slots data starts")
Memory = namedtuple("Memory", "short long stored arena used")


@njit
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


@njit(cache=True)
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


@njit
def merge_piece(text, i, end, words, symbols, values):
    """Ids of one piece, written to `symbols`; returns how many."""
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
    return merge(symbols, values, count, words.pairs)


@njit
def remember(memory, at, table, symbols, count):
    """Put the ids of a piece into its slot."""
    if count <= 3:
        table[at + TWO] = np.uint64(symbols[0]) & ID | np.uint64(symbols[1]) << S32
        table[at + THREE] = np.uint64(symbols[2]) & ID | np.uint64(count) << S32
        return
    used = memory.used[1]
    memory.arena[used : used + count] = symbols[:count]
    table[at + TWO] = np.uint64(used)
    table[at + THREE] = np.uint64(count) << S32
    memory.used[1] = used + count


@njit
def forget_if_full(memory):
    """Empty the memory when a table is 60 % full or a store has no room for one more piece."""
    used = memory.used
    if (
        used[0] * 5 > memory.short.size // 4 * 3
        or used[2] * 5 > memory.long.size // 4 * 3
        or used[1] + LONGEST > memory.arena.size
        or used[3] + LONGEST > memory.stored.size
    ):
        memory.short[:] = ZERO
        memory.long[:] = ZERO
        used[:] = 0


@njit
def recall(memory, table, at, out, n):
    """Copy the ids in a slot to out[n:]; return how many."""
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
    return count


@njit(cache=True, nogil=True)
def encode(text, segments, rule, classes, begins, words, memory, out, ends):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `begins` says of each byte how a piece
    that starts with it goes on (``SLOW``, ``LETTERS``, ``AFTER_ONE`` of ``text_pieces``).
    """
    n = 0
    short_shift = np.uint64(64) - np.uint64(np.log2(memory.short.size // 4))
    long_shift = np.uint64(64) - np.uint64(np.log2(memory.long.size // 4))
    symbols = np.zeros(MAX_SYMBOLS, np.int32)
    values = np.zeros(MAX_SYMBOLS, np.uint64)
    with_case = rule == O200K
    safe = text.size - 16
    for s in range(segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        while i < stop:
            length = 0
            how = begins[text[i]]
            if how != SLOW and i <= safe:
                low, high = load64(text, i), load64(text, i + 8)
                length = word_length(low, high, how, with_case)
                if length > stop - i:
                    length = stop - i
                    if length == 1 and how != LETTERS:
                        length = 0
                if length > 8:
                    high = low_bytes(high, length - 8) | np.uint64(length) << S56
                elif length > 0:
                    low, high = low_bytes(low, length), np.uint64(length) << S56
            if length == 0:
                length = piece_end(text, i, stop, rule, classes) - i
                if length <= SHORT:
                    low, high = short_key(text, i, length)
            if length <= SHORT:
                at = short_slot(memory.short, short_shift, low, high)
                if memory.short[at + ONE] == ZERO:
                    count = merge_piece(text, i, i + length, words, symbols, values)
                    memory.short[at], memory.short[at + ONE] = low, high
                    remember(memory, at, memory.short, symbols, count)
                    n += recall(memory, memory.short, at, out, n)
                    memory.used[0] += 1
                    forget_if_full(memory)
                else:
                    n += recall(memory, memory.short, at, out, n)
            elif length <= LONGEST:
                hashed = long_hash(text, i, length)
                at = long_slot(memory.long, long_shift, hashed, text, i, length, memory.stored)
                if memory.long[at] == ZERO:
                    room = symbols if length <= MAX_SYMBOLS else np.zeros(LONGEST, np.int32)
                    count = merge_piece(text, i, i + length, words, room, values)
                    place = memory.used[3]
                    memory.stored[place : place + length] = text[i : i + length]
                    memory.used[3] = place + length
                    memory.long[at] = hashed
                    memory.long[at + ONE] = np.uint64(place) << S24 | np.uint64(length)
                    remember(memory, at, memory.long, room, count)
                    n += recall(memory, memory.long, at, out, n)
                    memory.used[2] += 1
                    forget_if_full(memory)
                else:
                    n += recall(memory, memory.long, at, out, n)
            else:
                n += merge_piece(text, i, i + length, words, out[n:], values)
            i += length
        ends[s] = n
    return n
