"""Counting the different pieces of a large text.

The tables are those of ``text.pieces_kernel``; a slot's value is (index of the word, how often).
The bytes of each word stand in `stored`, in the order in which the words were first seen. When
something is full the kernel stops, and the caller grows it and goes on (``distinct_pieces``).
"""

import numpy as np

from ..pre_tokenizers.ascii_kernel import BLOCK, plain_length
from ..pre_tokenizers.scanning_kernel import piece_end
from ..text.machine_kernel import lean, trailing_zeros
from ..text.pieces_kernel import (
    ONE,
    S24,
    SHORT,
    THREE,
    TWO,
    ZERO,
    long_hash,
    long_slot,
    short_key,
    short_slot,
)


@lean
def slot_of(text, i, length, short, long, stored, low, high):
    """(table, slot) of a piece: table 0 for short pieces, 1 for long ones."""
    if length <= SHORT:
        shift = np.uint64(64) - trailing_zeros(np.uint64(short.size // 4))
        return 0, short_slot(short, shift, low, high)
    shift = np.uint64(64) - trailing_zeros(np.uint64(long.size // 4))
    return 1, long_slot(long, shift, low, text, i, length, stored)


@lean(cache=True, nogil=True)
def count_pieces(text, segments, rule, classes, short, long, stored, starts, used, at):
    """Count the pieces of the segments (n, 2); returns True if something must grow first.

    `used` is (short words, long words) and `at` is (segment, byte) to go on from, both updated.
    Word w has the bytes stored[starts[w] : starts[w + 1]].
    """
    safe = text.size - BLOCK
    words = used[0] + used[1]
    short_limit, long_limit = short.size // 4 // 2, long.size // 4 // 2
    for s in range(at[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == at[0]:
            i = max(i, at[1])
        while i < stop:
            length = 0
            low, high = ZERO, ZERO
            if i <= safe:
                length = plain_length(text, i, stop, rule)
            if length == 0:
                length = piece_end(text, i, stop, rule, classes) - i
            if length <= SHORT:
                low, high = short_key(text, i, length)
            else:
                low = long_hash(text, i, length)
            which, slot = slot_of(text, i, length, short, long, stored, low, high)
            table = short if which == 0 else long
            if table[slot + THREE] == ZERO:
                place = starts[words]
                if (
                    place + length > stored.size
                    or words + 2 > starts.size
                    or used[0] >= short_limit
                    or used[1] >= long_limit
                ):
                    at[0], at[1] = s, i
                    return True
                for k in range(length):
                    stored[place + k] = text[i + k]
                table[slot] = low
                table[slot + ONE] = high
                if which == 1:
                    table[slot + ONE] = np.uint64(place) << S24 | np.uint64(length)
                table[slot + TWO] = np.uint64(words)
                used[which] += 1
                words += 1
                starts[words] = place + length
            table[slot + THREE] += ONE
            i += length
    at[0], at[1] = segments.shape[0], 0
    return False


@lean(cache=True)
def refill(stored, starts, counts, short, long):
    """Put the words and their counts into new, empty tables."""
    for word in range(counts.size):
        i, length = starts[word], starts[word + 1] - starts[word]
        low, high = ZERO, ZERO
        if length <= SHORT:
            low, high = short_key(stored, i, length)
        else:
            low = long_hash(stored, i, length)
            high = np.uint64(i) << S24 | np.uint64(length)
        which, slot = slot_of(stored, i, length, short, long, stored, low, high)
        table = short if which == 0 else long
        table[slot] = low
        table[slot + ONE] = high
        table[slot + TWO] = np.uint64(word)
        table[slot + THREE] = np.uint64(counts[word])
