"""The best way through a dictionary lattice, and the best tags of a hidden Markov model.

The definitions are ``Dictionary.route`` and ``Hmm.tags`` in ``minillm/chinese``.
"""

import numpy as np

from ..tokenizers.text.machine_kernel import lean

B, E, M, S = range(4)  # in the order of the alphabet: ties go to the larger letter


@lean(cache=True, nogil=True)
def routes(data, places, edges, units, alone, best, end_of):
    """end_of[k]: where the word that begins at character k of its text ends.

    places: byte of each character, and the end; text t has the characters edges[t] to
    edges[t + 1]. `alone` is the score of a character where no word begins.
    """
    for t in range(edges.size - 1):
        first, stop = edges[t], edges[t + 1]
        best[stop] = 0.0
        for start in range(stop - 1, first - 1, -1):
            node, end, found, score = 0, start, start + 1, -np.inf
            for i in range(places[start], places[stop]):
                child = units[node].base ^ np.int32(data[i])
                if units[child].parent != node:
                    break
                node = child
                if i + 1 == places[end + 1]:
                    end += 1
                    if units[node].score + best[end] >= score and units[node].score > -np.inf:
                        score, found = units[node].score + best[end], end
            best[start] = alone + best[start + 1] if score == -np.inf else score
            end_of[start] = found - first


@lean
def better(a, b, state_a, state_b):
    """Is (a, state_a) after (b, state_b) in the order of pairs?"""
    return a > b or (a == b and state_a > state_b)


@lean(cache=True, nogil=True)
def tags(numbers, edges, start, transitions, emissions, scores, sources, states):
    """states[k]: the best tag of character k of its text. numbers: rows of `emissions` (n, 4).

    scores: (2, 4) to work with; sources: (characters, 4) uint8.
    """
    for t in range(edges.size - 1):
        first, stop = edges[t], edges[t + 1]
        if first == stop:
            continue
        for y in range(4):
            scores[0, y] = start[y] + emissions[numbers[first], y]
        for k in range(first + 1, stop):
            for y in range(4):
                x1 = E if y in (B, S) else B
                x2 = S if y in (B, S) else M
                gain = emissions[numbers[k], y]
                one = scores[0, x1] + transitions[x1, y] + gain
                two = scores[0, x2] + transitions[x2, y] + gain
                second = better(two, one, x2, x1)
                scores[1, y] = two if second else one
                sources[k, y] = x2 if second else x1
            for y in range(4):
                scores[0, y] = scores[1, y]
        state = S if better(scores[0, S], scores[0, E], S, E) else E
        for k in range(stop - 1, first - 1, -1):
            states[k] = state
            state = sources[k, state]
