"""A memory of pieces: the ids of those seen before, found again by their bytes.

What it gives back must equal what the family's definition gives for the piece. A piece has a
number, found as in ``index_kernel``. Its key is two uint64: the bytes themselves (``short_key``),
or a hash and a place in `stored` << 24 | length. Its value is two: up to three ids and how many
they are, or a place in `arena` and the number of ids there. Above the number a family may put a
note of its own.
"""

from collections import namedtuple

import numpy as np

from .index_kernel import candidate, first_slot, put_number
from .machine_kernel import lean
from .pieces_kernel import (
    ALL,
    ID,
    MIX3,
    S24,
    S32,
    S56,
    SHORT,
    ZERO,
    long_hash,
    mixed,
    same_bytes,
    short_key,
)

LONGEST = 128  # bytes of the longest piece that is remembered
SPARE = 1 << 10  # pieces that a kernel may remember before it looks for room again
LARGEST = 1 << 21, 1 << 24, 1 << 22  # slots, bytes of long pieces, ids of the largest memory
APART, LENGTH = np.uint64(1 << 63), np.uint64(0xFFFFFF)
COUNT, S40 = np.uint64(0xFF), np.uint64(40)

# slots: the hash table. keys, values: (n, 2) uint64. stored: bytes of long pieces. arena: ids,
# int32. used: how much of keys, stored and arena is. symbols: the ids of the piece at hand, and
# room to work on them.
Memory = namedtuple("Memory", "slots keys values stored arena used symbols room")
# number: of a piece, -1 if it is not remembered. low, high: its key; a long piece has a hash and 0.
Place = namedtuple("Place", "number low high")


def new_memory(slots=1 << 13, stored=1 << 18, arena=1 << 18):
    """An empty memory with so many slots, bytes of long pieces, and ids."""
    return Memory(
        np.zeros(slots, np.uint32), np.empty((slots // 2, 2), np.uint64),
        np.empty((slots // 2, 2), np.uint64), np.empty(stored, np.uint8),
        np.empty(arena, np.int32), np.zeros(3, np.int64), np.zeros(LONGEST, np.int32),
        np.zeros(LONGEST, np.uint64),
    )


@lean(forceinline=True)
def has_room(memory):
    """Is there room for SPARE more pieces?"""
    used = memory.used
    return (
        used[0] + SPARE <= memory.keys.shape[0]
        and used[1] + SPARE * LONGEST <= memory.stored.size
        and used[2] + SPARE * LONGEST <= memory.arena.size
    )


def with_room(memory):
    """The memory with four times the room where it is full; emptied where it is LARGEST already.

    It begins small, because a table that fits into the processor's caches is much faster.
    """
    sizes = [memory.slots.size, memory.stored.size, memory.arena.size]
    full = np.add(memory.used, [SPARE, SPARE * LONGEST, SPARE * LONGEST]) > [
        len(memory.keys), *sizes[1:]
    ]
    if any(is_full and size >= most for is_full, size, most in zip(full, sizes, LARGEST)):
        memory.slots[:], memory.used[:] = 0, 0
        return memory
    grown = new_memory(*(size * (4 if is_full else 1) for size, is_full in zip(sizes, full)))
    pieces, stored, arena = memory.used.tolist()
    grown.keys[:pieces], grown.values[:pieces] = memory.keys[:pieces], memory.values[:pieces]
    grown.stored[:stored], grown.arena[:arena] = memory.stored[:stored], memory.arena[:arena]
    grown.used[:] = memory.used
    put_all(grown)
    return grown


@lean(cache=True)
def put_all(memory):
    """Put the numbers of all pieces into `slots`, which are 0."""
    for number in range(memory.used[0]):
        hashed = hash_of(memory.keys[number, 0], memory.keys[number, 1])
        put_number(memory.slots, hashed, number)


@lean(forceinline=True)
def is_short(high):
    """Is this the second word of a short piece? Its top byte is the length, and APART."""
    return high >> S56 != ZERO


@lean(forceinline=True)
def hash_of(low, high):
    """The hash by which the number of a piece with this key is found."""
    return mixed(low, high) if is_short(high) else low * MIX3


@lean(forceinline=True)
def place_in(memory, text, i, length, apart=False):
    """The ``Place`` of the piece text[i : i + length], of at most LONGEST bytes.

    What is remembered of pieces `apart` is not what is remembered of the same bytes otherwise.
    """
    if length <= SHORT:
        low, high = short_key(text, i, length)
        high |= APART if apart else ZERO
        return Place(short_number(memory.slots, memory.keys, low, high), low, high)
    hashed = long_hash(text, i, length) ^ (APART if apart else ZERO)
    number = long_number(memory.slots, memory.keys, memory.stored, hashed, text, i, length)
    return Place(number, hashed, ZERO)


@lean(forceinline=True)
def short_number(slots, keys, low, high):
    """The number of a short piece, or -1."""
    hashed = hash_of(low, high)
    slot = first_slot(hashed, slots)
    while True:
        number, slot = candidate(slots, hashed, slot)
        if number < 0 or (keys[number, 0] == low and keys[number, 1] == high):
            return number


@lean
def long_number(slots, keys, stored, low, text, i, length):
    """The number of a long piece with this hash, or -1."""
    hashed = hash_of(low, ZERO)
    slot = first_slot(hashed, slots)
    while True:
        number, slot = candidate(slots, hashed, slot)
        if number < 0:
            return number
        where = keys[number, 1]
        if (keys[number, 0] == low and not is_short(where)
                and np.int64(where & LENGTH) == length
                and same_bytes(text, i, stored, np.int64(where >> S24), length)):
            return number


@lean(forceinline=True)
def is_new(place):
    """Is the piece of this place not remembered yet?"""
    return place.number < 0


@lean(forceinline=True)
def add_piece(memory, place, text, i, length):
    """The number of the piece text[i : i + length], which is new and has no ids yet."""
    used, number = memory.used, memory.used[0]
    memory.keys[number, 0], memory.keys[number, 1] = place.low, place.high
    if length > SHORT:
        at = used[1]
        for k in range(length):
            memory.stored[at + k] = text[i + k]
        used[1] = at + length
        memory.keys[number, 1] = np.uint64(at) << S24 | np.uint64(length)
    put_number(memory.slots, hash_of(place.low, place.high), number)
    memory.values[number, 1] = ALL
    used[0] = number + 1
    return number


@lean(forceinline=True)
def has_ids(memory, place):
    """Is the piece of this place known, and with its ids?"""
    return place.number >= 0 and memory.values[place.number, 1] != ALL


@lean(forceinline=True)
def put_ids(memory, number, count, note=0):
    """The piece of this number has the `count` ids in `memory.symbols`, and a note below 2^23."""
    used, symbols, values = memory.used, memory.symbols, memory.values
    last = np.uint64(note) << S40 | np.uint64(count) << S32
    if count <= 3:
        values[number, 0] = np.uint64(symbols[0]) & ID | np.uint64(symbols[1]) << S32
        values[number, 1] = np.uint64(symbols[2]) & ID | last
    else:
        for k in range(count):
            memory.arena[used[2] + k] = symbols[k]
        values[number, 0], values[number, 1] = np.uint64(used[2]), last
        used[2] += count


@lean(forceinline=True)
def count_and_note(memory, number):
    """How many ids a piece has, and the note that stands with them."""
    last = memory.values[number, 1]
    return np.int64(last >> S32 & COUNT), np.int64(last >> S40)


@lean(forceinline=True)
def remember(memory, place, text, i, length, count, out, n):
    """Keep the `count` ids in `memory.symbols` for a piece, and copy them to out[n:].

    place: that of the piece text[i : i + length], which is new. The memory ``has_room``. Returns
    where the ids end.
    """
    number = add_piece(memory, place, text, i, length)
    put_ids(memory, number, count)
    return recall(memory, number, out, n)


@lean(forceinline=True)
def recall(memory, number, out, n):
    """Copy the ids of a piece to out[n:], where three have room; return where they end."""
    first, second = memory.values[number, 0], memory.values[number, 1]
    count = np.int64(second >> S32 & COUNT)
    if count <= 3:
        out[n] = np.int32(first & ID)
        out[n + 1] = np.int32(first >> S32)
        out[n + 2] = np.int32(second & ID)
    else:
        start = np.int64(first)
        for k in range(count):
            out[n + k] = memory.arena[start + k]
    return n + count
