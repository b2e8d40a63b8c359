"""Learning WordPiece's merges by likelihood: the pair with the greatest f(ab) / (f(a) f(b)).

Joining a pair makes its two symbols rarer, and so raises the score of every other pair with them;
a heap would have to be rebuilt. Instead all pairs are looked through for each merge, which is a
short loop over three arrays.
"""

import numpy as np

from ...kernels.compiling import njit


@njit(cache=True)
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


@njit(cache=True)
def learn_likeliest(symbols, offsets, sizes, counts, first, found, single, where, after):
    """Join the likeliest pair until `found` (merges, 2) is full; returns how many were found.

    Word w has ``sizes[w]`` symbols from ``offsets[w]`` on, and occurs ``counts[w]`` times; both
    arrays of symbols change. single: zeros, for the count of each id. where, after: room for the
    lists of the words that hold each pair, 3 * symbols + 1 entries.
    """
    index = {np.int64(-1): np.int64(-1)}
    pairs = np.empty(256, np.int64)
    frequency, heads = np.zeros(256, np.int64), np.zeros(256, np.int64)
    known, used = np.int64(0), np.int64(1)
    for w in range(sizes.size):
        for k in range(offsets[w], offsets[w] + sizes[w]):
            single[symbols[k]] += counts[w]
    for merge in range(-1, found.shape[0]):
        listed = np.int64(0)
        left = right = new = np.int32(-1)
        if merge >= 0:  # merge -1 counts the pairs of all words
            best = find_best(pairs[:known], frequency[:known], single)
            if best < 0:
                return merge
            left, right = np.int32(pairs[best] >> 32), np.int32(pairs[best] & 0xFFFFFFFF)
            found[merge, 0], found[merge, 1] = left, right
            new = np.int32(first + merge)
            listed = heads[best]
        w = -1
        while True:
            if merge < 0:
                w += 1
                if w == sizes.size:
                    break
            else:
                if listed == 0:
                    break
                w, listed = where[listed], after[listed]
                start, size = offsets[w], sizes[w]
                there = False
                for k in range(start, start + size - 1):
                    if symbols[k] == left and symbols[k + 1] == right:
                        there = True
                if not there:  # the word was listed twice
                    continue
                for k in range(start, start + size - 1):
                    pair = np.int64(symbols[k]) << 32 | np.int64(symbols[k + 1])
                    frequency[index[pair]] -= counts[w]
                to = start
                k = start
                while k < start + size:
                    if k + 1 < start + size and symbols[k] == left and symbols[k + 1] == right:
                        symbols[to] = new
                        single[left] -= counts[w]
                        single[right] -= counts[w]
                        single[new] += counts[w]
                        k += 2
                    else:
                        symbols[to] = symbols[k]
                        k += 1
                    to += 1
                sizes[w] = to - start
            start, size = offsets[w], sizes[w]
            for k in range(start, start + size - 1):
                pair = np.int64(symbols[k]) << 32 | np.int64(symbols[k + 1])
                if pair in index:
                    p = index[pair]
                else:
                    if known == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                        frequency = np.concatenate((frequency, np.zeros_like(frequency)))
                        heads = np.concatenate((heads, np.zeros_like(heads)))
                    p = known
                    known += 1
                    index[pair] = p
                    pairs[p] = pair
                frequency[p] += counts[w]
                # list the word with its new pairs only; the others have it already
                if merge < 0 or symbols[k] == new or symbols[k + 1] == new:
                    where[used], after[used] = w, heads[p]
                    heads[p] = used
                    used += 1
    return found.shape[0]
