"""Learning merges without ever recounting: only the words that hold the joined pair are visited.

The definition is ``learn_merges`` in ``minillm/tokenizers/bpe/merges.py``. A table of pairs heads
linked lists of the words in which each pair has stood. A heap holds (count, order, pair); its
counts may be out of date, and are checked when an entry comes to the top. For n symbols there are
never more than 3 n list nodes and heap entries, nor more than 2 n fresh pairs.
"""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import lean, njit
from ..text.pieces_kernel import S32, ZERO, pair_key
from .pair_lists_kernel import (
    FRESH,
    LIVING,
    SIZE,
    TWICE,
    Heap,
    Lists,
    add,
    count_pairs,
    entry_of,
    find,
    grown,
    heap_ordered_by,
    parts,
    slots_for,
    table_of,
)

SMALLEST_IDS, GREATEST_BYTES, FIRST_MET = range(3)

# Word w is symbols[offsets[w] : offsets[w] + lengths[w]] and occurs times[w] times.
Words = namedtuple("Words", "symbols offsets lengths times")
# Token t is data[starts[t] : starts[t + 1]], and widths[t] characters wide; no token gets `limit`
# wide unless it joins two of the first ones. tie: which of equally frequent pairs comes first.
Tokens = namedtuple("Tokens", "data starts widths limit tie")


@lean
def compare(a, b, tokens):
    """-1, 0 or 1 as the bytes of token a are less than, equal to or greater than those of b."""
    data, starts = tokens.data, tokens.starts
    i, j = starts[a], starts[b]
    while i < starts[a + 1] and j < starts[b + 1]:
        if data[i] != data[j]:
            return -1 if data[i] < data[j] else 1
        i += 1
        j += 1
    return (1 if i < starts[a + 1] else 0) - (1 if j < starts[b + 1] else 0)


@lean
def comes_first(entry, other, tokens):
    """Is the first of two entries (count, order, key) to be joined before the second?"""
    count, order, key = entry
    count2, order2, key2 = other
    if count != count2:
        return count > count2
    if tokens.tie != GREATEST_BYTES:
        return order < order2
    (a, b), (c, d) = parts(key), parts(key2)
    left = compare(a, c, tokens)
    return left > 0 if left != 0 else compare(b, d, tokens) > 0


push, sink = heap_ordered_by(comes_first)


@lean
def first_place(key, head, lists, words):
    """word << 32 | position of the first occurrence of a pair, for the tie rule FIRST_MET."""
    a, b = parts(key)
    symbols, best, node = words.symbols, ~ZERO, head
    while node >= 0:
        word = lists.words[node]
        node = lists.nexts[node]
        if np.uint64(word) << S32 > best:
            continue
        start = words.offsets[word]
        for k in range(words.lengths[word] - 1):
            if symbols[start + k] == a and symbols[start + k + 1] == b:
                best = min(best, np.uint64(word) << S32 | np.uint64(k))
                break
    return best


@njit
def room_for(words, first):
    """(pairs, lists, heap), empty, for learning from words of `first` different tokens."""
    n, slots = words.symbols.size, 256
    while slots <= 2 * min(n, first * first):
        slots *= 2
    nodes, nexts = np.empty(3 * n + 1, np.int32), np.empty(3 * n + 1, np.int32)
    lists = Lists(nodes, nexts, np.empty(2 * n + 1, np.uint64), np.zeros(5, np.int64))
    counts, orders = np.empty(3 * n + 1, np.int64), np.empty(3 * n + 1, np.uint64)
    return table_of(slots), lists, Heap(counts, orders, np.empty(3 * n + 1, np.uint64))


@lean
def join_in_word(word, pair, new_id, words, tokens, pairs, lists):
    """Join a pair in one word, and count the pairs that go and come.

    A pair that comes and would be `limit` characters wide or wider is not counted. Returns the
    new length of the word.
    """
    symbols, start, length = words.symbols, words.offsets[word], words.lengths[word]
    times, (a, b) = words.times[word], parts(pair)
    i, o, joined = 0, 0, False
    while i < length:
        here = symbols[start + i]
        old, new_pair = ZERO, ZERO
        if here == a and i + 1 < length and symbols[start + i + 1] == b:
            if joined:
                old, new_pair = pair_key(b, a), pair_key(new_id, new_id)
                lists.used[TWICE] = word
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
            t = find(pairs, old)
            if pairs.keys[t] == old:
                pairs.counts[t] -= times
            left, right = parts(new_pair)
            if tokens.widths[left] + tokens.widths[right] < tokens.limit:
                add(pairs, lists, new_pair, times, word)
    return o


@lean
def join_in_words(node, pair, new_id, words, tokens, pairs, lists):
    """Join a pair in the words of a list from `node` on.

    Returns -1, or the node of a word for which the table of pairs must grow first.
    """
    while node >= 0:
        word = lists.words[node]
        if slots_for(words.lengths[word], lists.used) > pairs.keys.size:
            return node
        words.lengths[word] = join_in_word(word, pair, new_id, words, tokens, pairs, lists)
        node = lists.nexts[node]
    return node


@njit
def join_everywhere(node, pair, new_id, words, tokens, pairs, lists):
    """Join a pair in all words of a list, and forget its count; returns the table of pairs."""
    lists.used[FRESH], lists.used[TWICE] = 0, -1
    node = join_in_words(node, pair, new_id, words, tokens, pairs, lists)
    while node >= 0:
        pairs = grown(pairs, lists, words.lengths[lists.words[node]])
        node = join_in_words(node, pair, new_id, words, tokens, pairs, lists)
    s = find(pairs, pair)
    if pairs.keys[s] == pair:
        pairs.counts[s] = 0
    return pairs


@lean
def push_fresh(pairs, lists, heap, least, words, tokens):
    """Put the pairs that have come into the heap, if they occur `least` times."""
    used = lists.used
    used[LIVING] += used[FRESH]
    for f in range(used[FRESH]):
        key = lists.fresh[f]
        s = find(pairs, key)
        if pairs.counts[s] >= least:
            order = key  # what tells pairs of equal counts apart, the smaller the sooner
            if tokens.tie == FIRST_MET:
                order = first_place(key, pairs.heads[s], lists, words)
            push(heap, used[SIZE], (pairs.counts[s], order, key), tokens)
            used[SIZE] += 1


def taker(sink):
    """``take_best`` for a heap with this `sink`."""

    @lean
    def take_best(pairs, lists, heap, least, words, tokens):
        """Take the best pair from the heap; returns its key, or 0 if none occurs `least` times.

        Entries that are out of date go back with what is right when they come to the top.
        """
        used = lists.used
        while used[SIZE] > 0:
            key = heap.keys[0]
            s = find(pairs, key)
            count, order = pairs.counts[s] if pairs.keys[s] == key else 0, heap.orders[0]
            if count >= least and tokens.tie == FIRST_MET:
                order = first_place(key, pairs.heads[s], lists, words)
            right = count == heap.counts[0] and order == heap.orders[0]
            entry = count, order, key
            if right or count < least:
                used[SIZE] -= 1
                entry = entry_of(heap, used[SIZE])
            sink(heap, used[SIZE], entry, tokens)
            if right:
                return key
        return ZERO

    return take_best


take_best = taker(sink)


@lean
def spell(new_id, a, b, tokens):
    """Write the bytes of a new token behind those of the others."""
    data, starts = tokens.data, tokens.starts
    end = starts[new_id]
    for token in (a, b):
        for k in range(starts[token], starts[token + 1]):
            data[end] = data[k]
            end += 1
    starts[new_id + 1] = end


@njit(cache=True)
def learn(words, tokens, first, merges, least):
    """Learn up to len(merges) pairs from ``Words``; returns how many were found.

    merges: (n, 2) int32, for the ids of the pairs. `words` change. `first` of the ``Tokens`` are
    known, and there is room for ``first + len(merges)`` of them; only the tie rule GREATEST_BYTES
    looks at their bytes. least: how often a pair must occur.
    """
    pairs, lists, heap = room_for(words, first)
    count_pairs(words, pairs, lists)
    for found in range(len(merges)):
        push_fresh(pairs, lists, heap, least, words, tokens)
        key = take_best(pairs, lists, heap, least, words, tokens)
        if key == ZERO:
            return found
        a, b = parts(key)
        new_id = first + found
        merges[found, 0], merges[found, 1] = a, b
        tokens.widths[new_id] = tokens.widths[a] + tokens.widths[b]
        if tokens.tie == GREATEST_BYTES:
            spell(new_id, a, b, tokens)
        s = find(pairs, key)
        pairs.counts[s] = 0
        pairs = join_everywhere(pairs.heads[s], key, new_id, words, tokens, pairs, lists)
    return len(merges)
