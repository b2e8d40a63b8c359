"""Putting the bytes of many tokens one after another."""

import numpy as np

from ..text.index_kernel import candidate, first_slot, put_number
from ..text.machine_kernel import lean, load64, store64
from ..text.pieces_kernel import MIX3, long_hash, same_bytes
from .token_table import NO_ID, UNSEEN, WAITS


@lean(cache=True, nogil=True)
def survey(flat, starts, table, begins, stops, rows):
    """(how many stretches the decoder does itself, how many bytes all ids have in the table).

    In place of the first NO_ID if some number is no id, else UNSEEN if some id was not met yet.
    starts: of the rows. Stretch s is flat[begins[s] : stops[s]] and stands in rows[s].
    """
    count, size, unseen = 0, 0, False
    for row in range(starts.size - 1):
        inside = False
        for k in range(starts[row], starts[row + 1]):
            place = table.places[flat[k]] if 0 <= flat[k] < table.places.size else NO_ID
            if place == NO_ID:
                return NO_ID, 0
            unseen |= place == UNSEEN
            size += table.sizes[flat[k]]
            if not inside and (place == WAITS or k == starts[row]):
                begins[count], rows[count], inside = k, row, True
            if inside and place != WAITS:
                stops[count], inside = k + 1, False
                count += 1
        if inside:
            stops[count] = starts[row + 1]
            count += 1
    return (UNSEEN if unseen else count), size


@lean(cache=True, nogil=True)
def number_stretches(raw, begins, stops, edges, slots, examples, numbers):
    """Number the different stretches, examples[number] of which is one; returns how many there are.

    Stretch s is raw[begins[s] : stops[s]]; equal ones have the same `edges` too. slots: a hash
    table of ``index_kernel``.
    """
    count = 0
    for s in range(begins.size):
        begin, length = begins[s], stops[s] - begins[s]
        hashed = long_hash(raw, begin, length) * MIX3
        slot = first_slot(hashed, slots)
        number = np.int64(0)
        while number >= 0:
            number, slot = candidate(slots, hashed, slot)
            other = examples[number] if number >= 0 else s
            if edges[other] == edges[s] and stops[other] - begins[other] == length and same_bytes(
                raw, begins[other], raw, begin, length
            ):
                break
        if number < 0:
            put_number(slots, hashed, count)
            examples[count], number = s, np.int64(count)
            count += 1
        numbers[s] = number
    return count


@lean(cache=True, nogil=True)
def gather(flat, table, begins, stops, between, ends, numbers, out, edges):
    """Write the bytes of all ids to `out`: by the table, or of a stretch what it becomes.

    Stretch s is flat[begins[s] : stops[s]] and becomes between[ends[k] : ends[k + 1]], k its
    number, which stands in `out` from edges[s] on; the last one of `edges` is the end of all.
    Behind the bytes of all arrays are eight more, which are copied but not meant.
    """
    n, count = 0, begins.size
    for s in range(count):
        edges[s] = n
        place, size = ends[numbers[s]], ends[numbers[s] + 1] - ends[numbers[s]]
        copy(between, place, size, out, n)
        n += size
        for k in range(stops[s], begins[s + 1] if s + 1 < count else flat.size):
            place, size = table.places[flat[k]], np.int64(table.sizes[flat[k]])
            copy(table.data, place, size, out, n)
            n += size
    edges[count] = n


@lean(forceinline=True)
def copy(data, place, size, out, n):
    """Write data[place : place + size] to `out` from n on, and up to eight bytes more."""
    for j in range(0, size, 8):
        store64(out, n + j, load64(data, place + j))
