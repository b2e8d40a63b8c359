"""Learning SentencePiece's BPE: like BPE's learning kernel, with other rules for what comes first.

Only strings that may be pieces are candidates, also when they occur no more; of equal counts the
shorter comes first, then the smaller. Symbols are numbered in the order of their characters, and
``data[starts[t] : starts[t + 1]]`` are the characters of token t. The definition is
``learn_pieces`` in ``minillm/tokenizers/sentencepiece/learning.py``.
"""

from collections import namedtuple

import numpy as np

from ..bpe.learning_kernel import join_everywhere, room_for, taker
from ..bpe.pair_lists_kernel import (
    FRESH,
    LIVING,
    SIZE,
    TWICE,
    add,
    count_pairs,
    find,
    heap_ordered_by,
    parts,
)
from ..text.machine_kernel import lean, njit
from ..text.pieces_kernel import MIX1, ONE, S29, ZERO, pair_key
from ..text.utf8_kernel import character_width, code_point

FORBIDDEN, ANY, INHERITED, ALONE, SPACE = -1, 0, -2, -3, -4
FIRST, LAST, NOT_LAST, NOT_FIRST = range(4)

# kinds: class of each of the first tokens, which are single characters. place, only_spaces: where
# spaces may stand. bits: width of a character's number. known: hash table of new tokens, -1 is
# free.
Rules = namedtuple("Rules", "kinds place only_spaces bits known")


@lean(forceinline=True)
def character(k, a, b, tokens):
    """The k-th character of the tokens a and b together, or -1 behind the end."""
    starts = tokens.starts
    length = starts[a + 1] - starts[a]
    if k < length:
        return tokens.data[starts[a] + k]
    k += starts[b] - length
    return tokens.data[k] if k < starts[b + 1] else -1


@lean(forceinline=True)
def length_of(a, b, tokens):
    """How many characters the tokens a and b have together."""
    return tokens.starts[a + 1] - tokens.starts[a] + tokens.starts[b + 1] - tokens.starts[b]


@lean
def may_be_piece(a, b, tokens, rules):
    """Are the tokens a and b together valid? See ``Validity``."""
    length = length_of(a, b, tokens)
    before, spaces, fit = ANY, 0, True
    for k in range(length):
        kind = rules.kinds[character(k, a, b, tokens)]
        if kind in (FORBIDDEN, ALONE):
            return False
        if kind == SPACE:
            spaces += 1
            if rules.place == FIRST:
                fit &= k == 0
            elif rules.place == LAST:
                fit &= k == length - 1
            else:
                fit &= k != (length - 1 if rules.place == NOT_LAST else 0)
            continue
        if kind == INHERITED:
            kind = before
        if kind != ANY and before != ANY and kind != before:
            return False
        before = kind
    return fit or (rules.only_spaces and spaces == length)


@lean
def order_of(a, b, tokens, bits):
    """Length and first characters of a pair as one number, the smaller the sooner."""
    length = length_of(a, b, tokens)
    order, room = np.uint64(min(length, 63)), 58
    k = 0
    while room >= bits:
        order = order << np.uint64(bits) | np.uint64(character(k, a, b, tokens) + 1)
        room -= bits
        k += 1
    return order << np.uint64(room)


@lean
def is_before(key, key2, tokens):
    """The same decision on the whole strings; of equal ones the smaller key."""
    (a, b), (c, d) = parts(key), parts(key2)
    length = length_of(a, b, tokens)
    other = length_of(c, d, tokens)
    if length != other:
        return length < other
    for k in range(length):
        x, y = character(k, a, b, tokens), character(k, c, d, tokens)
        if x != y:
            return x < y
    return key < key2


@lean
def comes_first(entry, other, tokens):
    """Is the first of two entries (count, order, key) to be joined before the second?"""
    count, order, key = entry
    count2, order2, key2 = other
    if count != count2:
        return count > count2
    if order != order2:
        return order < order2
    return is_before(key, key2, tokens)


push, sink = heap_ordered_by(comes_first)
take_best = taker(sink)


@lean
def push_fresh(pairs, lists, heap, tokens, rules):
    """Put the pairs that have come and may be pieces into the heap."""
    used = lists.used
    used[LIVING] += used[FRESH]
    for f in range(used[FRESH]):
        key = lists.fresh[f]
        a, b = parts(key)
        if may_be_piece(a, b, tokens, rules):
            entry = pairs.counts[find(pairs, key)], order_of(a, b, tokens, rules.bits), key
            push(heap, used[SIZE], entry, tokens)
            used[SIZE] += 1
    used[FRESH] = 0


@lean
def same_characters(token, other, tokens):
    """Have two tokens the same characters?"""
    starts, data = tokens.starts, tokens.data
    start, place = starts[token], starts[other]
    length = starts[token + 1] - start
    same = starts[other + 1] - place == length
    for k in range(length if same else 0):
        same &= data[start + k] == data[place + k]
    return same


@lean
def spell(token, a, b, tokens, known):
    """Write the characters of a + b as those of `token`; False if an earlier token has the same.

    `known` is a hash table of the tokens that were learned.
    """
    data, starts = tokens.data, tokens.starts
    end = starts[token]
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
        if same_characters(known[slot], token, tokens):
            return False
        slot = (slot + ONE) & last
    known[slot] = token
    return True


@njit(cache=True)
def learn(words, tokens, first, merges, rules):
    """Learn up to len(merges) pairs from ``Words``; returns how many were found.

    The arguments are those of ``learn`` of BPE, the data of ``Tokens`` are characters, and `rules`
    say which strings may be pieces.
    """
    pairs, lists, heap = room_for(words, first)
    count_pairs(words, pairs, lists)
    found = 0
    while found < len(merges):
        push_fresh(pairs, lists, heap, tokens, rules)
        key = take_best(pairs, lists, heap, 0, words, tokens)
        if key == ZERO:
            break
        a, b = parts(key)
        new_id = first + found
        if not spell(new_id, a, b, tokens, rules.known):
            continue
        merges[found, 0], merges[found, 1] = a, b
        widths = tokens.widths
        widths[new_id] = widths[a] + widths[b]
        found += 1
        s = find(pairs, key)
        node = pairs.heads[s] if pairs.keys[s] == key and pairs.counts[s] > 0 else -1
        pairs = join_everywhere(node, key, new_id, words, tokens, pairs, lists)
        word = lists.used[TWICE]
        if word >= 0 and widths[new_id] + widths[a] < tokens.limit:
            # on the way to two new tokens side by side there was the pair of one and a
            add(pairs, lists, pair_key(new_id, a), 0, word)
    return found


@lean(cache=True, nogil=True)
def cut_words(text, lines, kinds, by_space, suffix, together, spans, at):
    """Fill `spans` (n, 2) with words of lines; returns how many. `at` is the line to go on from.

    Lines are cut where no piece may reach across: at ▁, between scripts, around characters alone.
    Far fewer different words are left than between spaces, and the same is learned from them.
    kinds: class of each code point, as in ``Validity``. by_space: cut before each ▁, or after it
    (`suffix`), or there only at the edges of runs of ▁ (`together`). A line that does not fit into
    the rest of `spans` waits for the next call; no line may be longer than `spans`.
    """
    n = 0
    for s in range(at[0], lines.shape[0]):
        start, stop = lines[s, 0], lines[s, 1]
        if n + stop - start > spans.shape[0]:
            at[0] = s
            return n
        i, before = start, np.int64(0)
        while i < stop:
            width, point = 1, np.int64(text[i])
            if point >= 128:
                width = character_width(text[i])
                point = code_point(text, i, width)
            kind = np.int64(kinds[point])
            if kind != before or kind <= 0:
                cut = bool(kind in (FORBIDDEN, ALONE) or before in (FORBIDDEN, ALONE))
                cut = cut or bool(kind > 0 and before > 0)
                if by_space:
                    here = before == SPACE if suffix else kind == SPACE
                    cut = cut or bool(here and not (together and kind == before))
                if cut and i > start:
                    spans[n, 0], spans[n, 1] = start, i
                    n += 1
                    start = i
                before = kind
            i += width
        if start < stop:
            spans[n, 0], spans[n, 1] = start, stop
            n += 1
    at[0] = lines.shape[0]
    return n
