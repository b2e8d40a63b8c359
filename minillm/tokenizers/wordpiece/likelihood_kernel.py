"""Learning WordPiece's merges by likelihood: the pair with the greatest f(ab) / (f(a) f(b)).

Joining a pair makes its two symbols rarer, and so raises the score of every other pair with them;
a heap would have to be rebuilt. Instead all pairs are looked through for each merge, which is a
short loop over three arrays. The definition is ``learn_by_likelihood`` in ``training.py``.
"""

from collections import namedtuple

import numpy as np

from ...kernels.compiling import njit

# Word w is symbols[offsets[w] : offsets[w] + sizes[w]] and occurs counts[w] times.
Words = namedtuple("Words", "symbols offsets sizes counts")
# index: pair -> its number. keys, frequency, heads: pairs by number, how often each occurs, and
# where its list of words begins (0: it has none). where, after: list nodes, a word and the next
# node. used: how many pairs and nodes there are. Each pair is listed with at least one word, so 3
# nodes for each symbol suffice for both.
Pairs = namedtuple("Pairs", "index keys frequency heads where after used")


@njit
def find_best(pairs, frequency, single):
    """Index of the likeliest pair that still occurs, the smallest ids among equals; or -1."""
    best, top = -1, 0.0
    for p in range(len(frequency)):
        count = frequency[p]
        if count <= 0:
            continue
        left, right = pairs[p] >> 32, pairs[p] & 0xFFFFFFFF
        score = count / np.float64(single[left] * single[right])
        if score > top or (score == top and pairs[p] < pairs[best]):
            best, top = p, score
    return best


@njit
def no_pairs(symbols):
    """Room for the pairs of words with so many symbols."""
    room = 3 * symbols + 1
    index = {np.int64(-1): np.int64(-1)}
    where, after = np.empty(room, np.int32), np.empty(room, np.int32)
    keys, frequency = np.empty(room, np.int64), np.zeros(room, np.int64)
    return Pairs(
        index, keys, frequency, np.zeros(room, np.int64), where, after, np.array([0, 1])
    )


@njit
def holds(w, left, right, words):
    """Does word w have this pair?"""
    for k in range(words.offsets[w], words.offsets[w] + words.sizes[w] - 1):
        if words.symbols[k] == left and words.symbols[k + 1] == right:
            return True
    return False


@njit
def forget_pairs(w, words, pairs):
    """Take the pairs of word w out of the frequencies."""
    for k in range(words.offsets[w], words.offsets[w] + words.sizes[w] - 1):
        pair = np.int64(words.symbols[k]) << 32 | np.int64(words.symbols[k + 1])
        pairs.frequency[pairs.index[pair]] -= words.counts[w]


@njit
def join_in_word(w, left, right, new, words, single):
    """Join a pair in word w, and count its symbols anew."""
    symbols, start, size = words.symbols, words.offsets[w], words.sizes[w]
    to = k = start
    while k < start + size:
        if k + 1 < start + size and symbols[k] == left and symbols[k + 1] == right:
            symbols[to] = new
            single[left] -= words.counts[w]
            single[right] -= words.counts[w]
            single[new] += words.counts[w]
            k += 2
        else:
            symbols[to] = symbols[k]
            k += 1
        to += 1
    words.sizes[w] = to - start


@njit
def count_pairs(w, new, words, pairs):
    """Count the pairs of word w, and list it with those that have the symbol `new`; -1: all."""
    symbols, used = words.symbols, pairs.used
    for k in range(words.offsets[w], words.offsets[w] + words.sizes[w] - 1):
        pair = np.int64(symbols[k]) << 32 | np.int64(symbols[k + 1])
        if pair in pairs.index:
            p = pairs.index[pair]
        else:
            p = used[0]
            used[0] += 1
            pairs.index[pair] = p
            pairs.keys[p] = pair
        pairs.frequency[p] += words.counts[w]
        if new < 0 or symbols[k] == new or symbols[k + 1] == new:
            node = used[1]
            pairs.where[node], pairs.after[node] = w, pairs.heads[p]
            pairs.heads[p] = node
            used[1] += 1


@njit(cache=True)
def learn_likeliest(words, first, found, single):
    """Join the likeliest pair until `found` (merges, 2) is full; returns how many were found.

    `words` change. first: the number of ids before. single: zeros, for the count of each id.
    """
    pairs = no_pairs(words.symbols.size)
    for w in range(words.sizes.size):
        for k in range(words.offsets[w], words.offsets[w] + words.sizes[w]):
            single[words.symbols[k]] += words.counts[w]
        count_pairs(w, -1, words, pairs)
    for merge in range(found.shape[0]):
        known = pairs.used[0]
        best = find_best(pairs.keys[:known], pairs.frequency[:known], single)
        if best < 0:
            return merge
        left, right = np.int32(pairs.keys[best] >> 32), np.int32(pairs.keys[best] & 0xFFFFFFFF)
        found[merge, 0], found[merge, 1] = left, right
        node, new = pairs.heads[best], np.int32(first + merge)
        while node > 0:
            w, node = pairs.where[node], pairs.after[node]
            if holds(w, left, right, words):  # it was not listed twice
                forget_pairs(w, words, pairs)
                join_in_word(w, left, right, new, words, single)
                count_pairs(w, new, words, pairs)
    return found.shape[0]
