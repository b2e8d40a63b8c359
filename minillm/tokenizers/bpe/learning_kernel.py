"""Learning merges without ever recounting: only the words that hold the joined pair are visited.

`keys`, `counts` and `heads` are one open-addressing table of pairs. heads[s] starts a linked list
(`node_word`, `node_next`) of the words in which the pair has stood. A heap holds (count, order,
pair); its counts may be out of date, and are checked when an entry comes to the top. The
definition is ``learn_merges`` in ``minillm/tokenizers/bpe/merges.py``.
"""

import numpy as np

from ..text.machine_kernel import lean, njit
from ..text.pieces_kernel import ID, MIX1, ONE, S29, S32, ZERO

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


@lean
def join_in_word(
    symbols, start, length, a, b, new_id, times, word, keys, counts, heads, node_word, node_next,
    nodes, fresh, news, widths, limit,
):
    """Join a and b in one word, and count the pairs that go and come.

    A pair that comes and would be `limit` characters wide or wider is not counted.
    """
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
                counts[t] -= times
            left, right = np.int64((new_pair - ONE) >> S32), np.int64((new_pair - ONE) & ID)
            if widths[left] + widths[right] < limit:
                nodes, news = add(
                    keys, counts, heads, new_pair, times, word, node_word, node_next, nodes, fresh,
                    news,
                )
    return o, nodes, news


@lean
def push_fresh(
    fresh, news, keys, counts, heads, hc, ho, hk, heap, least, tie, data, starts,
    node_word, node_next, symbols, offsets, lengths,
):
    """Put the pairs that have come into the heap; returns its new size."""
    for f in range(news):
        key = fresh[f]
        s = find(keys, key)
        if counts[s] >= least:
            order = key
            if tie == FIRST_MET:
                order = first_place(key, heads[s], node_word, node_next, symbols, offsets, lengths)
            push(hc, ho, hk, heap, counts[s], order, key, tie, data, starts)
            heap += 1
    return heap


@lean
def best_entry(
    keys, counts, heads, hc, ho, hk, heap, least, tie, data, starts,
    node_word, node_next, symbols, offsets, lengths,
):
    """Bring the best pair whose entry is up to date to the top; returns the heap's size."""
    while heap > 0:
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
    return heap


@lean
def spell(new_id, a, b, data, starts):
    """Write the bytes of a new token behind those of the others."""
    end = starts[new_id]
    for token in (a, b):
        for k in range(starts[token], starts[token + 1]):
            data[end] = data[k]
            end += 1
    starts[new_id + 1] = end


@njit(cache=True)
def learn(
    symbols, offsets, lengths, times, data, starts, tokens, merges, least, tie,
    node_word, node_next, fresh, hc, ho, hk, size, widths, limit,
):
    """Learn up to len(merges) pairs from words; returns how many were found.

    Word w is symbols[offsets[w] : offsets[w] + lengths[w]] and occurs times[w] times; `symbols`
    and `lengths` are changed. The bytes of token t are data[starts[t] : starts[t + 1]]; `tokens`
    of them are known at first, and only the tie rule GREATEST_BYTES looks at them. For n symbols
    there is room for 3 n list nodes and heap entries and 2 n fresh pairs, and the first table has
    `size` slots, twice the pairs that words can hold at first. widths: characters of each token,
    for at most ``tokens + len(merges)`` of them; no token gets `limit` wide unless it joins two of
    the first ones.
    """
    keys, counts = np.zeros(size, np.uint64), np.zeros(size, np.int64)
    heads = np.zeros(size, np.int32)
    nodes, news, living, heap, found = 0, 0, 0, 0, 0
    for w in range(lengths.size):
        for k in range(offsets[w], offsets[w] + lengths[w] - 1):
            key = pair_key(symbols[k], symbols[k + 1])
            nodes, news = add(
                keys, counts, heads, key, times[w], w, node_word, node_next, nodes, fresh, news
            )
    while True:
        living += news
        heap = push_fresh(
            fresh, news, keys, counts, heads, hc, ho, hk, heap, least, tie, data, starts,
            node_word, node_next, symbols, offsets, lengths,
        )
        if found == merges.shape[0]:
            return found
        heap = best_entry(
            keys, counts, heads, hc, ho, hk, heap, least, tie, data, starts,
            node_word, node_next, symbols, offsets, lengths,
        )
        if heap == 0:
            return found
        key = hk[0]
        heap -= 1
        sink(hc, ho, hk, heap, hc[heap], ho[heap], hk[heap], tie, data, starts)
        a, b = np.int64((key - ONE) >> S32), np.int64((key - ONE) & ID)
        new_id = tokens + found
        merges[found, 0], merges[found, 1] = a, b
        widths[new_id] = widths[a] + widths[b]
        found += 1
        if tie == GREATEST_BYTES:
            spell(new_id, a, b, data, starts)
        s = find(keys, key)
        node, news = heads[s], 0
        counts[s] = 0
        while node >= 0:
            word = node_word[node]
            node = node_next[node]
            if (living + news + 2 * lengths[word]) * 2 > keys.size:
                wide = keys.size * 2
                while wide < (living + news + 2 * lengths[word]) * 2:
                    wide *= 2
                new_keys, new_counts = np.zeros(wide, np.uint64), np.zeros(wide, np.int64)
                new_heads = np.zeros(wide, np.int32)
                living = rebuild(keys, counts, heads, new_keys, new_counts, new_heads) - news
                keys, counts, heads = new_keys, new_counts, new_heads
            lengths[word], nodes, news = join_in_word(
                symbols, offsets[word], lengths[word], a, b, new_id, times[word], word, keys,
                counts, heads, node_word, node_next, nodes, fresh, news, widths, limit,
            )
        s = find(keys, key)
        if keys[s] == key:
            counts[s] = 0
