"""Looking up the rules of a charsmap (``normalizers/charsmap.py``) in its double array."""

import numpy as np

from .machine_kernel import lean

LEAF, LABEL = np.uint32(1 << 8), np.uint32(0x800000FF)
WIDE, OFFSET, EIGHT = np.uint32(1 << 9), np.uint32(10), np.uint32(8)


@lean(forceinline=True)
def below(unit):
    """What to XOR the place of a unit with, to get where its children lie."""
    distance = unit >> OFFSET
    return np.int64(distance << EIGHT if unit & WIDE else distance)


@lean
def longest_rule(units, text, i, stop):
    """(length, value) of the longest key of the trie at text[i:stop]; length 0: none."""
    length, value = 0, np.int64(0)
    if units.size == 0:
        return length, value
    place = below(units[0])
    for k in range(i, stop):
        place ^= np.int64(text[k])
        if text[k] == 0 or place >= units.size or units[place] & LABEL != text[k]:
            break
        unit = units[place]
        place ^= below(unit)
        if unit & LEAF:
            length, value = k + 1 - i, np.int64(units[place] & np.uint32(0x7FFFFFFF))
    return length, value
