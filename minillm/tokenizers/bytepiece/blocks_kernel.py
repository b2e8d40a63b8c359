"""The best way to cut text, 256 places at a time, without branches that cannot be foretold.

Walking down a trie from one place after the other, the processor guesses wrong at the end of each
walk. Here all places of a block go down together, one byte per round; those that cannot go on are
left behind by not being copied. Then the scores are added up in order. `walk` packs a node into a
uint64: bit 63, a piece ends here; bits 32 to 62, base; bits 0 to 31, parent.
"""

import numpy as np

from ..text.machine_kernel import lean

BLOCK = 256
ZERO, ONE, TWO, S8, S32, S63 = (np.uint64(k) for k in (0, 1, 2, 8, 32, 63))
LOW, BASE = np.uint64(0xFFFFFFFF), np.uint64(0x7FFFFFFF)


@lean(cache=True)
def first_two(walk, pairs):
    """pairs[a | b << 8]: the node of byte a, and in the upper half that of a, b, or 0 if none."""
    for a in range(256):
        one = ((walk[0] >> S32) & BASE) ^ np.uint64(a)
        for b in range(256):
            two = ((walk[one] >> S32) & BASE) ^ np.uint64(b)
            found = (walk[two] & LOW) == one
            pairs[a | b << 8] = one | ((two if found else ZERO) << S32)


@lean
def matches(text, at, count, room, walk, pairs, places, nodes, found, counts, width):
    """The pieces that begin at each of `count` places from `at`, of which `room` bytes follow.

    found[k * width + t] for t < counts[k]: node, and length in the upper half. places, nodes:
    (BLOCK,) to work with.
    """
    kept = ZERO
    for k in range(count):
        p = np.uint64(k)
        after = np.uint64(text[at + p + ONE]) if p + ONE < room else ZERO
        pair = pairs[np.uint64(text[at + p]) | after << S8]
        two = pair >> S32
        more = np.uint64(two != ZERO) & np.uint64(p + ONE < room)
        unit = walk[two]
        found[p * width] = (pair & LOW) | (ONE << S32)
        found[p * width + ONE] = two | (TWO << S32)
        counts[p] = ONE + (more & (unit >> S63))
        places[kept] = p
        nodes[kept] = ((unit >> S32) & BASE) << S32 | two
        kept += more
    depth = TWO
    while kept > ZERO:
        going = kept
        while going > ZERO and places[going - ONE] + depth >= room:
            going -= ONE
        kept = ZERO
        for k in range(going):
            p, node = places[k], nodes[k]
            child = (node >> S32) ^ np.uint64(text[at + p + depth])
            unit = walk[child]
            more = np.uint64((unit & LOW) == (node & LOW))
            places[kept] = p
            nodes[kept] = ((unit >> S32) & BASE) << S32 | child
            kept += more
            found[p * width + counts[p]] = child | ((depth + ONE) << S32)
            counts[p] += more & (unit >> S63)
        depth += ONE


@lean
def add_up(first, count, found, counts, width, node_scores, scores, routes):
    """Extend the best ways by the matches at the places first, first + 1, ..."""
    for k in range(count):
        s = first + np.uint64(k)
        here = scores[s]
        at = np.uint64(k) * width
        for t in range(at, at + counts[k]):
            node = found[t] & LOW
            e = s + (found[t] >> S32)
            score = here + node_scores[node]
            better = score > scores[e]
            scores[e] = score if better else scores[e]
            routes[e] = found[t] if better else routes[e]


@lean
def best_routes_by_block(text, i, n, fast, scores, routes):
    """The same as ``best_routes`` of ``trie_kernel``; every byte must be a piece."""
    walk, pairs, node_scores, places, nodes, found, counts = fast
    width = np.uint64(found.size // BLOCK)
    for e in range(1, n + 1):
        scores[e] = -np.inf
    scores[0] = 0.0
    for first in range(0, n, BLOCK):
        at, left = np.uint64(i + first), np.uint64(n - first)
        count = min(np.uint64(BLOCK), left)
        matches(text, at, count, left, walk, pairs, places, nodes, found, counts, width)
        add_up(np.uint64(first), count, found, counts, width, node_scores, scores, routes)
