"""Text to ids in one pass: find a piece, look it up, and merge only what was never seen before.

Natural text repeats itself: almost every piece has been seen, so most of the time is spent finding
where pieces end (``scanning_kernel``) and finding them in a table (``pieces_kernel``). What a
memory of pieces holds is told in ``memory_kernel``.
"""

from collections import namedtuple

import numpy as np

from ..pre_tokenizers.ascii_kernel import BLOCK, plain_length
from ..pre_tokenizers.scanning_kernel import piece_end
from ..text.machine_kernel import lean, trailing_zeros
from ..text.memory_kernel import LONGEST, forget_if_full, recall, remember, whole_piece
from ..text.pieces_kernel import (
    ONE,
    S24,
    SHORT,
    ZERO,
    long_hash,
    long_slot,
    same_bytes,
    short_key,
    short_slot,
)
from .merging_kernel import merge_scanning

Vocabulary = namedtuple("Vocabulary", "byte_ids pairs whole slots data starts")
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
