"""Pieces in a double-array trie, and the best or a random way to cut text into them.

A node is a place in `units`; its child by byte c is at ``units[node].base ^ c``, if that place
names the node as its parent (Aoe 1989). `score` is that of the piece that ends in the node, minus
infinity if none does. The definitions are in ``minillm/tokenizers/bytepiece/best_cut.py``.
"""

import math

import numpy as np

from ..text.machine_kernel import lean
from .blocks_kernel import LOW, S32, best_routes_by_block

UNIT = np.dtype([("base", np.int32), ("parent", np.int32), ("score", np.float64)])
FREE, TAKEN = -1, -2
S1, S11, S27, S30, S31 = (np.uint64(k) for k in (1, 11, 27, 30, 31))
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX1, MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@lean
def fits(units, base, labels, count):
    """Are the places of all children free?"""
    for k in range(count):  # noqa: SIM110 (Numba has no generator expressions)
        if units[base ^ labels[k]].parent != FREE:
            return False
    return True


@lean
def find_base(units, labels, count, first):
    """A base where all children find a free place, at or after the place `first`; -1 if none."""
    place = first
    while place < units.size:
        if units[place].parent == FREE and fits(units, place ^ labels[0], labels, count):
            return place ^ labels[0]
        place += 1
    return -1


@lean(cache=True)
def build(data, starts, units, nodes, queue, labels, edges):
    """Make the trie of sorted, different pieces; nodes[k] becomes the node of piece k.

    Returns the number of places used, or -1 if `units` is too small. queue: (places, 4) int32.
    """
    units[0].parent = TAKEN
    queue[0, 0], queue[0, 1], queue[0, 2], queue[0, 3] = 0, 0, starts.size - 1, 0
    head, tail, first, used = 0, 1, 1, 256
    while head < tail:
        node, low, high, depth = queue[head]
        head += 1
        if starts[low + 1] - starts[low] == depth:
            nodes[low] = node
            low += 1
        count = 0
        for k in range(low, high):
            label = np.int32(data[starts[k] + depth])
            if count == 0 or labels[count - 1] != label:
                labels[count], edges[count] = label, k
                count += 1
        if count == 0:
            continue
        edges[count] = high
        while first < units.size and units[first].parent != FREE:
            first += 1
        base = find_base(units, labels, count, first if count < 3 else max(first, used - 512))
        if base < 0:
            return -1
        units[node].base = base
        for k in range(count):
            child = base ^ labels[k]
            units[child].parent = node
            used = max(used, child + 1)
            queue[tail, 0], queue[tail, 3] = child, depth + 1
            queue[tail, 1], queue[tail, 2] = edges[k], edges[k + 1]
            tail += 1
    return used


@lean(forceinline=True)
def step(node, length):
    """A step of a route: the node of a piece, and its length in the upper half."""
    return np.uint64(node) | np.uint64(length) << S32


@lean
def best_routes(text, i, n, units, scores, routes):
    """routes[e]: last step of the best way to cut text[i : i + e]."""
    for e in range(1, n + 1):
        scores[e] = -np.inf
    scores[0] = 0.0
    for s in range(n):
        here = scores[s]
        node = 0
        base = units[0].base
        for e in range(s, n):
            child = base ^ np.int32(text[i + e])
            if units[child].parent != node:
                break
            node = child
            base = units[node].base
            score = here + units[node].score
            if score > scores[e + 1]:
                scores[e + 1] = score
                routes[e + 1] = step(node, e + 1 - s)


@lean
def uniform(state):
    """The next number in [0, 1) of SplitMix64."""
    state[0] += GOLDEN
    x = state[0]
    x = (x ^ (x >> S30)) * MIX1
    x = (x ^ (x >> S27)) * MIX2
    return np.float64((x ^ (x >> S31)) >> S11) * 2.0**-53


@lean
def random_routes(text, i, n, units, scores, routes, alpha, state):
    """routes[e]: last step of a random way to cut text[i : i + e]."""
    for e in range(1, n + 1):
        scores[e] = -np.inf
    scores[0] = 0.0
    for s in range(n):
        here = scores[s]
        node = 0
        if here == -np.inf:
            continue
        for e in range(s, n):
            child = units[node].base ^ np.int32(text[i + e])
            if units[child].parent != node:
                break
            node = child
            if units[node].score == -np.inf:
                continue
            before, score = scores[e + 1], here + alpha * units[node].score
            total = max(before, score) + math.log1p(math.exp(-abs(before - score)))
            scores[e + 1] = total
            if uniform(state) < math.exp(score - total):
                routes[e + 1] = step(node, e + 1 - s)


@lean
def line_end(text, i, stop):
    """End of the line at i, with all line feeds that follow it."""
    while i < stop and text[i] != 10:
        i += 1
    while i < stop and text[i] == 10:
        i += 1
    return i


@lean
def collect(n, routes, node_ids, scores, out, at):
    """Put the ids of a route of n bytes at out[at:]; returns where they end, or -1 if none led on.

    They are found from the last to the first, so they are written at the far end and moved.
    """
    if scores[n] == -np.inf:
        return -1
    e, place = n, at + n
    while e > 0:
        place -= 1
        out[place] = node_ids[routes[e] & LOW]
        e -= np.int64(routes[e] >> S32)
    count = at + n - place
    for k in range(count):
        out[at + k] = out[place + k]
    return at + count


@lean(cache=True, nogil=True)
def encode(text, segments, lines, units, fast, node_ids, scores, routes, alpha, state,
           out, ends, progress):
    """Ids of the segments (n, 2) of `text` into `out`, one id per byte at most; ends (n,).

    With `lines` each segment is cut after its line feeds. `alpha` below 0: the best way. fast:
    the arrays of ``best_routes_by_block``, the first of them empty if it cannot be used.
    progress: (segment, byte, ids so far), zeros at first. Returns 0 when all is done, -1 at a byte
    that no piece covers, or the length of a line for which `scores` and `routes` are too small.
    """
    at = progress[2]
    for k in range(progress[0], segments.shape[0]):
        i, stop = segments[k, 0], segments[k, 1]
        if k == progress[0]:
            i = max(i, progress[1])
        while i < stop:
            j = line_end(text, i, stop) if lines else stop
            progress[0], progress[1], progress[2] = k, i, at
            if j - i >= scores.size:
                return j - i
            if alpha < 0.0 and fast[0].size > 0:
                best_routes_by_block(text, i, j - i, fast, scores, routes)
            elif alpha < 0.0:
                best_routes(text, i, j - i, units, scores, routes)
            else:
                random_routes(text, i, j - i, units, scores, routes, alpha, state)
            at = collect(j - i, routes, node_ids, scores, out, at)
            if at < 0:
                return -1
            i = j
        ends[k] = at
    progress[2] = at
    return 0


@lean(cache=True)
def surely_composed(data):
    """True if UTF-8 text holds only characters that no composition (NFC) changes or joins.

    These are U+0000 to U+02FF, U+2002 to U+203F, U+3000 to U+3029, U+4000 to U+9FFF and U+FF00 to
    U+FFBF; for other text the answer is False, whatever it is.
    """
    for i in range(data.size):
        first = data[i]
        if first < 0xCC or 0xE4 <= first <= 0xE9:
            continue
        second, third = data[i + 1], data[min(i + 2, data.size - 1)]
        if first == 0xE2 and second == 0x80 and third >= 0x82:
            continue
        if first == 0xE3 and second == 0x80 and third < 0xAA:
            continue
        if first == 0xEF and second in (0xBC, 0xBD, 0xBE):
            continue
        return False
    return True
