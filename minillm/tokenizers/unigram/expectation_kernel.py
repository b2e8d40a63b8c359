"""Expectation, best segmentations and losses over all words at once, for training unigram models.

Words stand one after another, each with one more symbol after it; position p of the text has the
edges ``starts[p]`` to ``starts[p + 1]``: ids and lengths, the first of them the single character
(id -1 if it is no piece). The definitions are in ``expectation.py``. There sums
are of logarithms; here they are of probabilities, each with a count of how often it was multiplied
by 2^512.
"""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import lean

# offsets: where each word begins in the text. counts: how often each occurs.
Words = namedtuple("Words", "offsets counts")
# starts: the first edge of each position of the text. ids, lengths: of the edges.
Edges = namedtuple("Edges", "starts ids lengths")
# Piece id stands at text position places[id] and has sizes[id] characters; scores by id. unknown:
# the score of a character that is no piece.
Pieces = namedtuple("Pieces", "places sizes scores unknown")
SMALL, STEP = 2.0**-400, 2.0**512
BACK = 1 / STEP
LOG_STEP = 512 * np.log(2.0)


@lean(forceinline=True)
def add(value, power, more, more_power):
    """Sum of two numbers value · 2^(512 power)."""
    if value == 0.0 or power < more_power - 1:
        return more, more_power
    if power == more_power:
        return value + more, power
    if power > more_power:
        return (value + more * BACK if power == more_power + 1 else value), power
    return value * BACK + more, more_power


@lean(forceinline=True)
def power_of(steps):
    """2^(512 steps), for steps from -1 to 2."""
    if steps == 0:
        return 1.0
    if steps < 0:
        return BACK if steps == -1 else 0.0
    return STEP


@lean(cache=True, nogil=True)
def expect_counts(first, after, words, edges, chance, unknown, expected, room):
    """Add the expected counts of words first to after - 1 to `expected`; returns Σ −count log P.

    chance: probability of each piece; unknown: that of a character that is none, whose counts go
    to expected[0]. room: numbers and powers for the ways to each position, and from it.
    """
    (offsets, counts), (starts, ids, lengths) = words, edges
    alpha, alpha_power, beta, beta_power = room
    objective = 0.0
    for w in range(first, after):
        low, n = offsets[w], offsets[w + 1] - offsets[w] - 1
        if n == 0:
            continue
        for k in range(1, n + 1):
            alpha[k], alpha_power[k] = 0.0, 0
        alpha[0], alpha_power[0] = 1.0, 0
        for k in range(n):
            value, power = alpha[k], alpha_power[k]
            if value < SMALL:
                value, power = value * STEP, power - 1
                alpha[k], alpha_power[k] = value, power
            for e in range(starts[low + k], starts[low + k + 1]):
                j = k + lengths[e]
                x = value * (chance[ids[e]] if ids[e] >= 0 else unknown)
                alpha[j], alpha_power[j] = add(alpha[j], alpha_power[j], x, power)
        z, z_power = alpha[n], alpha_power[n]
        weight = counts[w] / z
        objective -= counts[w] * (np.log(z) + z_power * LOG_STEP)
        beta[n], beta_power[n] = 1.0, 0
        for k in range(n - 1, -1, -1):
            total, power = 0.0, 0
            for e in range(starts[low + k], starts[low + k + 1]):
                j, id = k + lengths[e], max(ids[e], 0)
                x = beta[j] * (chance[id] if ids[e] >= 0 else unknown)
                steps = alpha_power[k] + beta_power[j] - z_power
                expected[id] += weight * (alpha[k] * x) * power_of(steps)
                total, power = add(total, power, x, beta_power[j])
            if total < SMALL:
                total, power = total * STEP, power - 1
            beta[k], beta_power[k] = total, power
    return objective


@lean
def best_cut(low, n, edges, pieces, whole, best, links):
    """Viterbi over n positions from `low`; links[k] is the best edge to k, best[k] its sum.

    Without `whole` the edge over all of it is left out.
    """
    starts, ids, lengths = edges
    scores, unknown = pieces.scores, pieces.unknown
    for k in range(1, n + 1):
        best[k] = -np.inf
    best[0] = 0.0
    for k in range(n):
        for e in range(starts[low + k], starts[low + k + 1]):
            j = k + lengths[e]
            if j <= n and (whole or j - k < n):
                score = best[k] + (scores[ids[e]] if ids[e] >= 0 else unknown)
                if score > best[j]:
                    best[j], links[j] = score, e


@lean(cache=True, nogil=True)
def count_best(first, after, words, edges, pieces, used, room):
    """Add to `used` how often each piece is in the best segmentations of words first to after-1."""
    (offsets, counts), (best, links) = words, room
    for w in range(first, after):
        k = offsets[w + 1] - offsets[w] - 1
        best_cut(offsets[w], k, edges, pieces, True, best, links)
        while k > 0:
            used[max(edges.ids[links[k]], 0)] += counts[w]
            k -= edges.lengths[links[k]]


@lean(cache=True, nogil=True)
def losses_of(first, after, pieces, edges, used, words, bug, room, losses):
    """Losses of pieces first to after - 1, of which `words` words make use.

    losses: NaN for a piece without an alternative, −inf where the alternative is better.
    """
    best, links = room
    total = 0.0
    for id in range(used.size):
        total += used[id]
    for id in range(first, after):
        n, f = pieces.sizes[id], used[id]
        losses[id] = np.nan
        if n < 2:
            continue
        best_cut(pieces.places[id], n, edges, pieces, False, best, links)
        if best[n] > pieces.scores[id]:
            losses[id] = -np.inf
            continue
        losses[id] = 0.0
        if f == 0:
            continue
        parts, k = 0, n
        while k > 0:
            e = links[k]
            best[parts] = used[max(edges.ids[e], 0)] + f
            parts, k = parts + 1, k - edges.lengths[e]
        if bug > 0:
            logs, shared = 0.0, np.log(total + f * (bug - 1))
            for k in range(parts):
                logs += np.log(best[k]) - shared
            losses[id] = f / words * (np.log(f) - np.log(total) - logs)
        else:
            rounded, shared32 = np.float32(0), np.float32(np.log(total + f * (parts - 1)))
            for k in range(parts - 1, -1, -1):
                rounded = np.float32(rounded + (np.log(best[k]) - shared32))
            alone = np.float32(np.log(f) - np.float32(np.log(total)))
            losses[id] = np.float32(f / total) * (alone - rounded)


@lean(cache=True)
def keep_edges(starts, ids, lengths, renamed):
    """Take out the edges of pieces that are gone (renamed[id] < 0); returns how many stay.

    A single character stays an edge, though it has no id any more; renamed[-1] is -1.
    """
    kept, e = 0, starts[0]
    for p in range(starts.size - 1):
        end = starts[p + 1]
        starts[p] = kept
        while e < end:
            id = renamed[ids[e]]
            ids[kept], lengths[kept] = id, lengths[e]
            kept += (id >= 0) | (lengths[e] == 1)
            e += 1
    starts[starts.size - 1] = kept
    return kept
