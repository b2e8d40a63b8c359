"""Counting the different pieces of a large text.

The tables are those of ``text.pieces_kernel``; a slot's value is (index of the word, how often).
The bytes of each word stand in `stored`, in the order in which the words were first seen. When
something is full the kernel stops, and the caller grows it and goes on (``distinct_pieces``).
"""

from collections import namedtuple

import numpy as np

from ..pre_tokenizers.ascii_kernel import next_begins, next_piece
from ..text.machine_kernel import lean, trailing_zeros
from ..text.pieces_kernel import ONE, S24, SHORT, THREE, TWO, ZERO, find_slot

# short, long: the tables, uint64. stored: bytes of the words. starts: (words + 1,) where they
# begin. used: (short words, long words).
Counts = namedtuple("Counts", "short long stored starts used")


@lean(forceinline=True)
def slot_in(counts, text, i, length):
    """The ``Slot`` of the piece text[i : i + length]."""
    return find_slot(text, i, length, counts.short, counts.long, counts.stored)


@lean
def fill(slot, word, place, length, times):
    """Put a word that stands at `place` into its free slot."""
    table, at = slot.table, slot.at
    table[at], table[at + ONE] = slot.low, slot.high
    if length > SHORT:
        table[at + ONE] = np.uint64(place) << S24 | np.uint64(length)
    table[at + TWO] = np.uint64(word)
    table[at + THREE] = np.uint64(times)


@lean
def add_word(counts, slot, text, i, length):
    """Store a new word; returns False if something must grow first."""
    used, starts = counts.used, counts.starts
    word = used[0] + used[1]
    place = starts[word]
    if (
        place + length > counts.stored.size
        or word + 2 > starts.size
        or used[0] >= counts.short.size // 4 // 2
        or used[1] >= counts.long.size // 4 // 2
    ):
        return False
    for k in range(length):
        counts.stored[place + k] = text[i + k]
    fill(slot, word, place, length, 0)
    used[0 if length <= SHORT else 1] += 1
    starts[word + 1] = place + length
    return True


@lean(forceinline=True)
def count_piece(counts, text, i, length):
    """Count one piece more; returns False if something must grow first."""
    slot = slot_in(counts, text, i, length)
    if slot.table[slot.at + THREE] == ZERO and not add_word(counts, slot, text, i, length):
        return False
    slot.table[slot.at + THREE] += ONE
    return True


@lean(cache=True, nogil=True)
def count_pieces(text, segments, splitting, counts, at):
    """Count the pieces of the segments (n, 2); returns True if something must grow first.

    `counts` are ``Counts`` and `at` is (segment, byte) to go on from, both updated. Word w has the
    bytes stored[starts[w] : starts[w + 1]].
    """
    for s in range(at[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == at[0]:
            i = max(i, at[1])
        while i < stop:
            window, begins = i, next_begins(text, i, stop, splitting)
            length = (
                np.int64(trailing_zeros(begins)) if begins
                else next_piece(text, i, stop, splitting)
            )
            while length > 0:
                if not count_piece(counts, text, i, length):
                    at[0], at[1] = s, i
                    return True
                i += length
                begins &= begins - ONE
                length = window + np.int64(trailing_zeros(begins)) - i if begins else 0
    at[0], at[1] = segments.shape[0], 0
    return False


@lean(cache=True)
def refill(counts, times):
    """Put the words again, each with its number of times, into tables that are empty."""
    for word in range(times.size):
        i, length = counts.starts[word], counts.starts[word + 1] - counts.starts[word]
        fill(slot_in(counts, counts.stored, i, length), word, i, length, times[word])
