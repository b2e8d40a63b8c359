"""Learning SentencePiece's BPE: like BPE's learning kernel, with other rules for what comes first.

Only strings that may be pieces are candidates, also when they occur no more; of equal counts the
shorter comes first, then the smaller. Symbols are numbered in the order of their characters, and
``data[starts[t] : starts[t + 1]]`` are the characters of token t. The definition is
``learn_pieces`` in ``minillm/tokenizers/sentencepiece/learning.py``.
"""

import numpy as np

from ..bpe.learning_kernel import add, find, join_in_word, pair_key, rebuild
from ..text.machine_kernel import lean, njit
from ..text.pieces_kernel import ID, MIX1, ONE, S29, S32, ZERO

FORBIDDEN, ANY, INHERITED, ALONE, SPACE = -1, 0, -2, -3, -4
FIRST, LAST, NOT_LAST, NOT_FIRST = range(4)


@lean(forceinline=True)
def character(k, a, b, data, starts):
    """The k-th character of the tokens a and b together, or -1 behind the end."""
    length = starts[a + 1] - starts[a]
    if k < length:
        return data[starts[a] + k]
    k += starts[b] - length
    return data[k] if k < starts[b + 1] else -1


@lean
def may_be_piece(a, b, data, starts, kinds, place, only_spaces):
    """Are the tokens a and b together valid? See ``Validity``."""
    length = starts[a + 1] - starts[a] + starts[b + 1] - starts[b]
    before, spaces, fit = ANY, 0, True
    for k in range(length):
        kind = kinds[character(k, a, b, data, starts)]
        if kind in (FORBIDDEN, ALONE):
            return False
        if kind == SPACE:
            spaces += 1
            if place == FIRST:
                fit &= k == 0
            elif place == LAST:
                fit &= k == length - 1
            else:
                fit &= k != (length - 1 if place == NOT_LAST else 0)
            continue
        if kind == INHERITED:
            kind = before
        if kind != ANY and before != ANY and kind != before:
            return False
        before = kind
    return fit or (only_spaces and spaces == length)


@lean
def order_of(a, b, data, starts, bits):
    """Length and first characters of a pair as one number, the smaller the sooner."""
    length = starts[a + 1] - starts[a] + starts[b + 1] - starts[b]
    order, room = np.uint64(min(length, 63)), 58
    k = 0
    while room >= bits:
        order = order << np.uint64(bits) | np.uint64(character(k, a, b, data, starts) + 1)
        room -= bits
        k += 1
    return order << np.uint64(room)


@lean
def is_before(key, key2, data, starts):
    """The same decision on the whole strings; of equal ones the smaller key."""
    p, q = key - ONE, key2 - ONE
    a, b, c, d = np.int64(p >> S32), np.int64(p & ID), np.int64(q >> S32), np.int64(q & ID)
    length = starts[a + 1] - starts[a] + starts[b + 1] - starts[b]
    other = starts[c + 1] - starts[c] + starts[d + 1] - starts[d]
    if length != other:
        return length < other
    for k in range(length):
        x, y = character(k, a, b, data, starts), character(k, c, d, data, starts)
        if x != y:
            return x < y
    return key < key2


@lean
def comes_first(count, order, key, count2, order2, key2, data, starts):
    """Is the first of two pairs to be joined before the second?"""
    if count != count2:
        return count > count2
    if order != order2:
        return order < order2
    return is_before(key, key2, data, starts)


@lean
def push(hc, ho, hk, size, count, order, key, data, starts):
    """Add an entry to the heap of `size` entries."""
    k = size
    while k > 0:
        up = (k - 1) >> 1
        if not comes_first(count, order, key, hc[up], ho[up], hk[up], data, starts):
            break
        hc[k], ho[k], hk[k] = hc[up], ho[up], hk[up]
        k = up
    hc[k], ho[k], hk[k] = count, order, key


@lean
def sink(hc, ho, hk, size, count, order, key, data, starts):
    """Replace the top of the heap by this entry."""
    k = 0
    while 2 * k + 1 < size:
        c = 2 * k + 1
        if c + 1 < size and comes_first(
            hc[c + 1], ho[c + 1], hk[c + 1], hc[c], ho[c], hk[c], data, starts
        ):
            c += 1
        if not comes_first(hc[c], ho[c], hk[c], count, order, key, data, starts):
            break
        hc[k], ho[k], hk[k] = hc[c], ho[c], hk[c]
        k = c
    hc[k], ho[k], hk[k] = count, order, key


@lean
def take_best(keys, counts, hc, ho, hk, heap, data, starts):
    """(slot, key, count) of the best pair, taken from the heap of `heap` entries.

    An entry whose count is out of date goes back with the right one when it comes to the top.
    """
    while True:
        key = hk[0]
        s = find(keys, key)
        count = counts[s] if keys[s] == key else 0
        right = count == hc[0]
        size, source = (heap - 1, heap - 1) if right else (heap, 0)
        now = hc[source] if right else count
        sink(hc, ho, hk, size, now, ho[source], hk[source], data, starts)
        if right:
            return s, key, count


@lean
def spell(token, a, b, data, starts, known, new):
    """Write the characters of a + b as those of `token`; False if an earlier token has the same.

    `known` is a hash table of the tokens from number `new` on.
    """
    start, end = starts[token], starts[token]
    h = ZERO
    for part in (a, b):
        for k in range(starts[part], starts[part + 1]):
            data[end] = data[k]
            h = (h ^ np.uint64(data[k] + 1)) * MIX1
            h ^= h >> S29
            end += 1
    starts[token + 1] = end
    last = np.uint64(known.size - 1)
    slot = h & last
    while known[slot] >= 0:
        other = known[slot]
        same = starts[other + 1] - starts[other] == end - start
        k = 0
        while same and k < end - start:
            same = data[starts[other] + k] == data[start + k]
            k += 1
        if same:
            return False
        slot = (slot + ONE) & last
    known[slot] = token
    return True


@lean
def twice(symbols, start, length, token):
    """Does the token stand twice in a row in this word?"""
    for k in range(start, start + length - 1):
        if symbols[k] == token and symbols[k + 1] == token:
            return True
    return False


@njit(cache=True)
def learn(
    symbols, offsets, lengths, times, data, starts, tokens, kinds, place, only_spaces, bits, merges,
    widths, limit, known, node_word, node_next, fresh, hc, ho, hk, size,
):
    """Learn up to len(merges) pairs from words; returns how many were found.

    The arguments that ``learn`` of BPE has too are the same. kinds: class of each of the first
    `tokens` tokens, single characters; place, only_spaces: where spaces may stand; bits: width of a
    character's number; known: hash table of new tokens, -1 is free.
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
        for f in range(news):
            a, b = np.int64((fresh[f] - ONE) >> S32), np.int64((fresh[f] - ONE) & ID)
            if may_be_piece(a, b, data, starts, kinds, place, only_spaces):
                order = order_of(a, b, data, starts, bits)
                count = counts[find(keys, fresh[f])]
                push(hc, ho, hk, heap, count, order, fresh[f], data, starts)
                heap += 1
        news = 0
        if found == merges.shape[0] or heap == 0:
            return found
        s, key, count = take_best(keys, counts, hc, ho, hk, heap, data, starts)
        heap -= 1
        a, b = np.int64((key - ONE) >> S32), np.int64((key - ONE) & ID)
        new_id = tokens + found
        if not spell(new_id, a, b, data, starts, known, tokens):
            continue
        merges[found, 0], merges[found, 1] = a, b
        widths[new_id] = widths[a] + widths[b]
        found += 1
        node = heads[s] if count > 0 else -1
        met = widths[new_id] + widths[a] >= limit  # two new tokens side by side?
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
            if not met and twice(symbols, offsets[word], lengths[word], new_id):
                met = True  # on the way there was the pair of the new token and a
                nodes, news = add(
                    keys, counts, heads, pair_key(new_id, a), 0, word, node_word, node_next, nodes,
                    fresh, news,
                )
        s = find(keys, key)
        if keys[s] == key:
            counts[s] = 0
