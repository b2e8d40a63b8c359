"""Counting byte n-grams, and cutting text into the pieces that their probabilities suggest.

An n-gram of up to 7 bytes is one uint64: its bytes from the top down, zeros, and its length in the
lowest three bits. So sorted keys are sorted byte strings. A table is open addressing, (slots, 2):
the key and a count, or later a row of `values`. The definitions are in
``minillm/tokenizers/bytepiece/ngrams.py``.
"""

import numpy as np

from ..text.machine_kernel import lean, trailing_zeros
from ..text.pieces_kernel import MIX1, ONE, ZERO

LENGTH = np.uint64(7)
S8, S64 = np.uint64(8), np.uint64(64)
TOP = np.uint64(56)


@lean(forceinline=True)
def slot_of(table, key, shift, last):
    """Slot of a key, or the free one where it belongs."""
    slot = (key * MIX1) >> shift
    while table[slot, 0] != key and table[slot, 0] != ZERO:
        slot = (slot + ONE) & last
    return slot


@lean(forceinline=True)
def shift_of(table):
    """By how much to shift a hash, so that it becomes a slot of the table."""
    return S64 - trailing_zeros(np.uint64(table.shape[0]))


@lean(cache=True, nogil=True)
def count(text, spans, order, table, progress):
    """Count the longest n-gram at each place; progress: (span, keys so far), updated.

    Stops before a span for which the table may be too small, and returns True.
    """
    shift, last = shift_of(table), np.uint64(table.shape[0] - 1)
    keep = ~((ONE << (S64 - S8 * np.uint64(order))) - ONE)
    keys = progress[1]
    for k in range(progress[0], spans.shape[0]):
        i, j = spans[k, 0], spans[k, 1]
        if (keys + j - i) * 2 > table.shape[0]:
            progress[0], progress[1] = k, keys
            return True
        bytes_, length = ZERO, ZERO
        for at in range(j - 1, i - 1, -1):
            bytes_ = ((bytes_ >> S8) | np.uint64(text[at]) << TOP) & keep
            length = min(length + ONE, np.uint64(order))
            slot = slot_of(table, bytes_ | length, shift, last)
            if table[slot, 0] == ZERO:
                table[slot, 0] = bytes_ | length
                keys += 1
            table[slot, 1] += ONE
    progress[0], progress[1] = spans.shape[0], keys
    return False


@lean(cache=True)
def move(table, larger):
    """Put all keys of a table into a larger, empty one."""
    shift, last = shift_of(larger), np.uint64(larger.shape[0] - 1)
    for k in range(table.shape[0]):
        if table[k, 0] != ZERO:
            slot = slot_of(larger, table[k, 0], shift, last)
            larger[slot, 0], larger[slot, 1] = table[k, 0], table[k, 1]


@lean
def shared(a, b):
    """How many bytes two keys have in common from the front."""
    n = min(a & LENGTH, b & LENGTH)
    k = ZERO
    while k < n and (a ^ b) >> (TOP - S8 * k) == ZERO:
        k += ONE
    return np.int64(k)


@lean(cache=True)
def prefix_nodes(keys, counts, path, parents, depths, sums):
    """The tree of all beginnings of sorted keys; node 0 is the empty one. Returns how many nodes.

    sums[node]: how often the n-gram of the node occurs. `path` (order + 1) holds the nodes on the
    way to the key at hand.
    """
    nodes, before = 1, ZERO
    path[0], depths[0] = 0, 0
    for k in range(keys.size):
        for depth in range(shared(before, keys[k]) + 1, np.int64(keys[k] & LENGTH) + 1):
            parents[nodes], depths[nodes] = path[depth - 1], depth
            path[depth] = nodes
            nodes += 1
        for depth in range(np.int64(keys[k] & LENGTH) + 1):
            sums[path[depth]] += counts[k]
        before = keys[k]
    return nodes


@lean(cache=True)
def fill_rows(keys, path, logs, row_of, rows, values):
    """rows[k]: the row of `values` with the logs of all beginnings of key k. Returns how many.

    The nodes are numbered as ``prefix_nodes`` does. Keys that begin alike as far as their n-grams
    were kept share a row. row_of: (nodes,) filled with -1.
    """
    nodes, before, used = 1, ZERO, 0
    path[0] = 0
    for k in range(keys.size):
        for depth in range(shared(before, keys[k]) + 1, np.int64(keys[k] & LENGTH) + 1):
            path[depth] = nodes
            nodes += 1
        before = keys[k]
        kept = np.int64(keys[k] & LENGTH)
        while logs[path[kept]] == -np.inf:
            kept -= 1
        node = path[kept]
        if row_of[node] < 0:
            row_of[node] = used
            for j in range(values.shape[1]):
                values[used, j] = logs[path[j + 1]] if j < kept else -np.inf
            used += 1
        rows[k] = np.uint64(row_of[node])
    return used


@lean
def find_rows(text, i, n, order, table, rows):
    """rows[k]: the row of `values` for the place i + k of the segment of n bytes at i."""
    shift, last = shift_of(table), np.uint64(table.shape[0] - 1)
    keep = ~((ONE << (S64 - S8 * np.uint64(order))) - ONE)
    bytes_, length = ZERO, ZERO
    for k in range(n - 1, -1, -1):
        bytes_ = ((bytes_ >> S8) | np.uint64(text[i + k]) << TOP) & keep
        length = min(length + ONE, np.uint64(order))
        rows[k] = np.int64(table[slot_of(table, bytes_ | length, shift, last), 1])


@lean
def tag(text, i, n, values, whole_characters, rows, routes, scores):
    """Fill `routes` for the segment of n bytes at i; returns the best state of its last byte.

    routes[k] & 7: the state from which byte k enters state 0; routes[k] & 8: whether it enters the
    last state from the last state, rather than from the one before. scores: (order,) to work with.
    """
    order = scores.size
    for j in range(1, order):
        scores[j] = -np.inf
    scores[0] = -np.inf if whole_characters and text[i] & 0xC0 == 0x80 else values[rows[0], 0]
    for k in range(1, n):
        gain = values[rows[k], 0]
        if whole_characters and text[i + k] & 0xC0 == 0x80:
            gain = -np.inf
        best, source = scores[0] + gain, 0
        for j in range(1, order):
            score = scores[j] + gain
            source = j if score > best else source
            best = score if score > best else best
        stay = -np.inf
        if order <= k + 1:
            stay = values[rows[k - order + 1], order - 1]
        last, enter = scores[order - 1] + stay, scores[max(order - 2, 0)] + stay
        routes[k] = np.uint8(source | (8 if last > enter else 0))
        for j in range(order - 2, 0, -1):
            scores[j] = -np.inf
            if j <= k:
                scores[j] = scores[j - 1] + values[rows[k - j], j]
        if order > 1:
            scores[order - 1] = last if last > enter else enter
        scores[0] = best
    state = 0
    for j in range(1, order):
        state = j if scores[j] > scores[state] else state
    return state


@lean(cache=True, nogil=True)
def cut(text, spans, order, table, values, whole_characters, rows, routes, scores, pieces):
    """Cut each span of `text` where its best states are 0; returns the number of pieces."""
    used = 0
    for s in range(spans.shape[0]):
        i, n = spans[s, 0], spans[s, 1] - spans[s, 0]
        if n == 0:
            continue
        find_rows(text, i, n, order, table, rows)
        state = tag(text, i, n, values, whole_characters, rows, routes, scores)
        end, first = i + n, used
        for k in range(n - 1, -1, -1):
            if state == 0:
                pieces[used, 0], pieces[used, 1] = i + k, end
                end = i + k
                used += 1
                state = np.int64(routes[k] & 7)
            elif state == order - 1 and routes[k] & 8:
                pass
            else:
                state -= 1
        for k in range((used - first) // 2):
            for c in range(2):
                pieces[first + k, c], pieces[used - 1 - k, c] = (
                    pieces[used - 1 - k, c], pieces[first + k, c]
                )
    return used
