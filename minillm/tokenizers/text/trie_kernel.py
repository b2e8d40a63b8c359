"""A trie of byte strings in one flat array: a double array (Aoe 1989), one uint64 per node.

Bits 0–8 of a node are the byte that leads to it, plus one (0: no node here); bits 9–32 the id of
the string that ends here, plus one (0: none); bits 33–63 its base. The child of a node for byte c
stands at ``base ^ c``. No two nodes share a base, so the byte alone tells whose child it is.
"""

import numpy as np

from .machine_kernel import lean

ZERO, ONE = np.uint64(0), np.uint64(1)
LABEL, ID = np.uint64(0x1FF), np.uint64(0xFFFFFF)
S9, S33 = np.uint64(9), np.uint64(33)
TRIES = 200  # places that are tried for the children of a node before fresh room is taken


@lean(forceinline=True)
def child(units, unit, byte):
    """The unit reached from `unit` by a byte; its label tells whether it is a child."""
    return units[np.int64((unit >> S33) ^ np.uint64(byte))]


@lean(forceinline=True)
def leads(unit, byte):
    """Is this the unit of a child for `byte`?"""
    return unit & LABEL == np.uint64(byte) + ONE


@lean(forceinline=True)
def id_at(unit):
    """Id of the string that ends at this unit, or -1."""
    return np.int64((unit >> S9) & ID) - 1


@lean
def exact_id(text, i, stop, units):
    """Id of the string that is exactly text[i:stop], or -1."""
    unit = units[0]
    for k in range(i, stop):
        unit = child(units, unit, text[k])
        if not leads(unit, text[k]):
            return -1
    return id_at(unit)


@lean
def room_for(units, taken, labels, count, cursor, end):
    """A base with free places for all labels, from `cursor` on, or a fresh block at `end`."""
    place, tried = cursor, 0
    while place < end and tried < TRIES:
        if units[place] & LABEL == ZERO and place > 0:
            base = place ^ labels[0]
            fits = not taken[base]
            for k in range(1, count):
                if not fits:
                    break
                fits = units[base ^ labels[k]] & LABEL == ZERO and base ^ labels[k] > 0
            if fits:
                return base
            tried += 1
        place += 1
    return end


@lean(cache=True)
def build_trie(data, starts, order, ids, units, taken, queue, labels, cuts):
    """Fill `units` with the strings data[starts[k] : starts[k + 1]] for k in `order` (sorted).

    units and taken are zeros, of a size divisible by 256; queue is (n, 4) with a row per node;
    labels and cuts are (256,). The result is how much of `units` is used, or 0 if there is not
    room for all.
    """
    queue[0, 0], queue[0, 1], queue[0, 2], queue[0, 3] = 0, 0, order.size, 0
    read, written, cursor, end = 0, 1, 1, 256
    taken[0] = True  # the base of nodes without children: only the root is there
    while read < written:
        node, low, high, depth = queue[read, 0], queue[read, 1], queue[read, 2], queue[read, 3]
        read += 1
        if low < high and starts[order[low] + 1] - starts[order[low]] == depth:
            units[node] |= np.uint64(ids[order[low]] + 1) << S9
            low += 1
        count = 0
        for k in range(low, high):
            byte = np.int64(data[starts[order[k]] + depth])
            if count == 0 or labels[count - 1] != byte:
                labels[count], cuts[count] = byte, k
                count += 1
        if count == 0:
            continue
        while cursor < end and units[cursor] & LABEL != ZERO:
            cursor += 1
        base = room_for(units, taken, labels, count, cursor, end)
        if base >= end:
            end += 256
            if end > units.size:
                return 0
        taken[base] = True
        units[node] |= np.uint64(base) << S33
        for k in range(count):
            place = base ^ labels[k]
            units[place] = np.uint64(labels[k] + 1)
            queue[written, 0], queue[written, 1] = place, cuts[k]
            queue[written, 2] = cuts[k + 1] if k + 1 < count else high
            queue[written, 3] = depth + 1
            written += 1
    return end
