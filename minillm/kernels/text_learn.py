"""Learning merges without ever recounting: only the words that hold the joined pair are visited.

`keys`, `counts` and `heads` are one open-addressing table of pairs. heads[s] starts a linked list
(`node_word`, `node_next`) of the words in which the pair has stood. A heap holds (count, order,
pair); its counts may be out of date, and are checked when an entry comes to the top. The
definition is ``learn_merges`` in ``minillm/tokenizers/bpe.py``.
"""

import numpy as np

from .text_machine import lean, njit
from .text_merge import ID
from .text_pieces import MIX1, ONE, S29, S32, ZERO

SMALLEST_IDS, GREATEST_BYTES, FIRST_MET = range(3)


@lean
def find(keys, key):
    """Slot of a pair, or the free slot where it belongs."""
    h = key * MIX1
    slot = (h ^ (h >> S29)) >> np.uint64(7)
    last = np.uint64(keys.size - 1)
    while True:
        slot &= last
        if keys[slot] == key or keys[slot] == ZERO:
            return np.int64(slot)
        slot += ONE


@lean
def pair_key(left, right):
    return ((np.uint64(left) << S32) | np.uint64(right)) + ONE


@lean
def compare(a, b, data, starts):
    """-1, 0 or 1 as the bytes of token a are less than, equal to or greater than those of b."""
    i, j = starts[a], starts[b]
    while i < starts[a + 1] and j < starts[b + 1]:
        if data[i] != data[j]:
            return -1 if data[i] < data[j] else 1
        i += 1
        j += 1
    return (1 if i < starts[a + 1] else 0) - (1 if j < starts[b + 1] else 0)


@lean
def comes_first(count, order, key, count2, order2, key2, tie, data, starts):
    """Is the first of two pairs to be joined before the second?"""
    if count != count2:
        return count > count2
    if tie != GREATEST_BYTES:
        return order < order2
    a, b = key - ONE, key2 - ONE
    left = compare(np.int64(a >> S32), np.int64(b >> S32), data, starts)
    if left != 0:
        return left > 0
    return compare(np.int64(a & ID), np.int64(b & ID), data, starts) > 0


@lean
def push(hc, ho, hk, size, count, order, key, tie, data, starts):
    """Add an entry to the heap of `size` entries."""
    k = size
    while k > 0:
        up = (k - 1) >> 1
        if not comes_first(count, order, key, hc[up], ho[up], hk[up], tie, data, starts):
            break
        hc[k], ho[k], hk[k] = hc[up], ho[up], hk[up]
        k = up
    hc[k], ho[k], hk[k] = count, order, key


@lean
def sink(hc, ho, hk, size, count, order, key, tie, data, starts):
    """Replace the top of the heap by this entry."""
    k = 0
    while 2 * k + 1 < size:
        c = 2 * k + 1
        if c + 1 < size and comes_first(
            hc[c + 1], ho[c + 1], hk[c + 1], hc[c], ho[c], hk[c], tie, data, starts
        ):
            c += 1
        if not comes_first(hc[c], ho[c], hk[c], count, order, key, tie, data, starts):
            break
        hc[k], ho[k], hk[k] = hc[c], ho[c], hk[c]
        k = c
    hc[k], ho[k], hk[k] = count, order, key


@lean
def first_place(key, head, node_word, node_next, symbols, offsets, lengths):
    """word << 32 | position of the first occurrence of a pair, for the tie rule FIRST_MET."""
    a, b = np.int64((key - ONE) >> S32), np.int64((key - ONE) & ID)
    best = ~ZERO
    node = head
    while node >= 0:
        word = node_word[node]
        node = node_next[node]
        if np.uint64(word) << S32 > best:
            continue
        start = offsets[word]
        for k in range(lengths[word] - 1):
            if symbols[start + k] == a and symbols[start + k + 1] == b:
                best = min(best, np.uint64(word) << S32 | np.uint64(k))
                break
    return best


@lean
def rebuild(keys, counts, heads, new_keys, new_counts, new_heads):
    """Move the living pairs into a larger table; returns how many there are."""
    living = 0
    for s in range(keys.size):
        if keys[s] != ZERO and counts[s] > 0:
            t = find(new_keys, keys[s])
            new_keys[t], new_counts[t], new_heads[t] = keys[s], counts[s], heads[s]
            living += 1
    return living


@lean
def add(keys, counts, heads, key, times, word, node_word, node_next, nodes, fresh, news):
    """Count a pair `times` more in `word`; returns the new (nodes, news)."""
    s = find(keys, key)
    if keys[s] == ZERO:
        keys[s], heads[s], counts[s] = key, -1, 0
        fresh[news] = key
        news += 1
    counts[s] += times
    head = heads[s]
    if head < 0 or node_word[head] != word:
        node_word[nodes], node_next[nodes] = word, head
        heads[s] = nodes
        nodes += 1
    return nodes, news


@njit(cache=True)
def learn(symbols, offsets, times, data, starts, tokens, merges, least, tie):
    """Learn up to len(merges) pairs from words; returns how many were found.

    Word w is symbols[offsets[w] : offsets[w + 1]] and occurs times[w] times; `symbols` is changed.
    The bytes of token t are data[starts[t] : starts[t + 1]]; `tokens` of them are known at first.
    Only the tie rule GREATEST_BYTES looks at them.
    """
    n = symbols.size
    lengths = np.diff(offsets)
    node_word, node_next = np.empty(3 * n + 1, np.int32), np.empty(3 * n + 1, np.int32)
    fresh = np.empty(2 * n + 1, np.uint64)
    size = 1 << 12
    keys, counts = np.zeros(size, np.uint64), np.zeros(size, np.int64)
    heads = np.zeros(size, np.int32)
    hc, ho, hk = np.empty(size, np.int64), np.empty(size, np.uint64), np.empty(size, np.uint64)
    nodes, news, living, heap = 0, 0, 0, 0
    for w in range(lengths.size):
        for k in range(offsets[w], offsets[w + 1] - 1):
            key = pair_key(symbols[k], symbols[k + 1])
            nodes, news = add(
                keys, counts, heads, key, times[w], w, node_word, node_next, nodes, fresh, news
            )
            if news * 2 > keys.size:
                new = (
                    np.zeros(keys.size * 2, np.uint64),
                    np.zeros(keys.size * 2, np.int64),
                    np.zeros(keys.size * 2, np.int32),
                )
                rebuild(keys, counts, heads, new[0], new[1], new[2])
                keys, counts, heads = new
    found = 0
    while True:
        living += news
        if heap + news > hc.size:
            room = max(2 * hc.size, heap + news)
            wider = np.empty(room, np.int64), np.empty(room, np.uint64), np.empty(room, np.uint64)
            wider[0][:heap], wider[1][:heap], wider[2][:heap] = hc[:heap], ho[:heap], hk[:heap]
            hc, ho, hk = wider
        for f in range(news):
            key = fresh[f]
            s = find(keys, key)
            if counts[s] >= least:
                order = key
                if tie == FIRST_MET:
                    order = first_place(
                        key, heads[s], node_word, node_next, symbols, offsets, lengths
                    )
                push(hc, ho, hk, heap, counts[s], order, key, tie, data, starts)
                heap += 1
        if found == merges.shape[0]:
            return found
        while heap > 0:  # until the top entry is up to date
            key = hk[0]
            s = find(keys, key)
            count, order = counts[s] if keys[s] == key else 0, ho[0]
            if tie == FIRST_MET and count >= least:
                order = first_place(key, heads[s], node_word, node_next, symbols, offsets, lengths)
            if count == hc[0] and order == ho[0]:
                break
            if count < least:
                heap -= 1
                count, order, key = hc[heap], ho[heap], hk[heap]
            sink(hc, ho, hk, heap, count, order, key, tie, data, starts)
        if heap == 0:
            return found
        heap -= 1
        sink(hc, ho, hk, heap, hc[heap], ho[heap], hk[heap], tie, data, starts)
        a, b = np.int64((key - ONE) >> S32), np.int64((key - ONE) & ID)
        new_id = tokens + found
        merges[found, 0], merges[found, 1] = a, b
        if tie == GREATEST_BYTES:
            end = starts[new_id]
            for token in (a, b):
                for k in range(starts[token], starts[token + 1]):
                    data[end] = data[k]
                    end += 1
            starts[new_id + 1] = end
        found += 1
        node, news = heads[s], 0
        counts[s] = 0
        while node >= 0:
            word = node_word[node]
            node = node_next[node]
            times_here, start, length = times[word], offsets[word], lengths[word]
            if (living + news + 2 * length) * 2 > keys.size:
                new = (
                    np.zeros(keys.size * 2, np.uint64),
                    np.zeros(keys.size * 2, np.int64),
                    np.zeros(keys.size * 2, np.int32),
                )
                living = rebuild(keys, counts, heads, new[0], new[1], new[2]) - news
                keys, counts, heads = new
            i, o, joined = 0, 0, False
            while i < length:
                here = symbols[start + i]
                old, new_pair = ZERO, ZERO
                if here == a and i + 1 < length and symbols[start + i + 1] == b:
                    if joined:
                        old, new_pair = pair_key(b, a), pair_key(new_id, new_id)
                    elif o > 0:
                        before = symbols[start + o - 1]
                        old, new_pair = pair_key(before, a), pair_key(before, new_id)
                    symbols[start + o] = new_id
                    i += 2
                    joined = True
                else:
                    if joined:
                        old, new_pair = pair_key(b, here), pair_key(new_id, here)
                    symbols[start + o] = here
                    i += 1
                    joined = False
                o += 1
                if new_pair != ZERO:
                    t = find(keys, old)
                    if keys[t] == old:
                        counts[t] -= times_here
                    nodes, news = add(
                        keys, counts, heads, new_pair, times_here, word, node_word, node_next,
                        nodes, fresh, news,
                    )
            lengths[word] = o
        key = pair_key(a, b)
        s = find(keys, key)
        if keys[s] == key:
            counts[s] = 0
