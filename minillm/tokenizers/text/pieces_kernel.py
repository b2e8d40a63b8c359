"""Finding a piece again: open-addressing tables keyed by the piece's bytes.

A piece of up to 15 bytes *is* its key: two 64-bit words, the second with the length in its top
byte. Longer pieces are found by a hash and compared byte by byte with a stored copy. Every slot is
four uint64: two of key, two of value; an empty slot has zeros.
"""

from collections import namedtuple

import numpy as np

from .machine_kernel import lean, load64, trailing_zeros

SHORT = 15
MIX1 = np.uint64(0x9E3779B97F4A7C15)
MIX2 = np.uint64(0xC2B2AE3D27D4EB4F)
MIX3 = np.uint64(0x165667B19E3779F9)
ZERO, ONE, TWO, THREE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ID = np.uint64(0xFFFFFFFF)
S2, S3, S8, S24, S29, S32, S56, S64 = (np.uint64(k) for k in (2, 3, 8, 24, 29, 32, 56, 64))

# table: the one of the two that the piece belongs to. at: index of its slot there. low, high: the
# key to put into a free slot; a long piece's second word tells its place, and is left to the owner.
Slot = namedtuple("Slot", "table at low high")


@lean(forceinline=True)
def mixed(low, high):
    """Hash of a two-word key; the top bits are the best ones."""
    h = (low * MIX1) ^ (high * MIX2)
    h ^= h >> S29
    return h * MIX3


@lean(forceinline=True)
def low_bytes(word, count):
    """The first `count` (1 to 8) bytes of a little-endian word, the rest zero."""
    return word & (ALL >> ((np.uint64(8) - np.uint64(count)) << S3))


@lean(forceinline=True)
def short_key(text, i, length):
    """Two-word key of the piece of 1 to 15 bytes at i."""
    if i + 16 <= text.size:
        if length <= 8:
            return low_bytes(load64(text, i), length), np.uint64(length) << S56
        high = low_bytes(load64(text, i + 8), length - 8)
        return load64(text, i), high | np.uint64(length) << S56
    low, high = ZERO, np.uint64(length) << S56
    for k in range(length):
        byte = np.uint64(text[i + k])
        if k < 8:
            low |= byte << np.uint64(8 * k)
        else:
            high |= byte << np.uint64(8 * (k - 8))
    return low, high


@lean
def long_hash(text, i, length):
    """64-bit hash of the bytes of a long piece; never zero."""
    h, k, end = np.uint64(length) * MIX2, i, i + length
    while k + 8 <= end:
        h = (h ^ load64(text, k)) * MIX1
        h ^= h >> S29
        k += 8
    rest = ZERO
    while k < end:
        rest = rest << S8 | np.uint64(text[k])
        k += 1
    h = (h ^ rest) * MIX3
    return (h ^ (h >> S32)) | ONE


@lean
def same_bytes(a, i, b, j, length):
    """Is a[i : i + length] the same as b[j : j + length]?"""
    k = 0
    while k + 8 <= length:
        if load64(a, i + k) != load64(b, j + k):
            return False
        k += 8
    while k < length:
        if a[i + k] != b[j + k]:
            return False
        k += 1
    return True


@lean(forceinline=True)
def short_slot(table, shift, low, high):
    """Index of the slot that holds this key, or of the empty slot where it belongs."""
    slot = mixed(low, high) >> shift
    last = np.uint64(table.size // 4 - 1)
    while True:
        at = slot << S2
        found = table[at + ONE]
        if (found == high and table[at] == low) or found == ZERO:
            return at
        slot = (slot + ONE) & last


@lean
def long_slot(table, shift, hashed, text, i, length, stored):
    """The same for a long piece: a slot holds its hash, then its place and length in `stored`."""
    slot = (hashed * MIX3) >> shift
    last = np.uint64(table.size // 4 - 1)
    while True:
        at = slot << S2
        if table[at] == ZERO:
            return at
        if table[at] == hashed:
            where = table[at + ONE]
            if np.int64(where & np.uint64(0xFFFFFF)) == length and same_bytes(
                text, i, stored, np.int64(where >> S24), length
            ):
                return at
        slot = (slot + ONE) & last


@lean(forceinline=True)
def shift_for(table):
    """By how much a hash is shifted to be the number of a slot."""
    return S64 - trailing_zeros(np.uint64(table.size // 4))


@lean(forceinline=True)
def find_slot(text, i, length, short, long, stored):
    """The ``Slot`` of the piece text[i : i + length] in the table for its length."""
    if length <= SHORT:
        low, high = short_key(text, i, length)
        return Slot(short, short_slot(short, shift_for(short), low, high), low, high)
    hashed = long_hash(text, i, length)
    at = long_slot(long, shift_for(long), hashed, text, i, length, stored)
    return Slot(long, at, hashed, ZERO)


@lean(forceinline=True)
def pair_key(left, right):
    """A pair of numbers below 2^32 as one key, never zero."""
    return (np.uint64(left) << S32 | np.uint64(right)) + ONE


@lean(forceinline=True)
def pair_slot(table, key, width):
    """Index of the slot of `width` words that holds the key of a pair, or of a free one."""
    h = key * MIX1
    slot = (h ^ (h >> S29)) >> np.uint64(7)
    last = np.uint64(table.size // width - 1)
    while True:
        slot &= last
        found = table[slot * np.uint64(width)]
        if found in (key, ZERO):
            return slot * np.uint64(width)
        slot += ONE
