"""Frequent substrings from sorted suffixes (Abouelhoda, Kurtz and Ohlebusch 2004).

In sorted order, the suffixes that begin with one string stand together; strings that are followed
by different symbols are the inner nodes of the suffix tree, found from the lengths of common
prefixes of neighbours with a stack. `text` holds the words as alphabet indices from 1 on, each word
ended by the symbol that follows it, whose place `last` marks; suffixes reach to there.
"""

import numpy as np

from .machine_kernel import lean

FORBIDDEN, ANY, INHERITED, ALONE, SPACE = -1, 0, -2, -3, -4  # classes of characters
FIRST, LAST, NOT_LAST, NOT_FIRST = range(4)  # where ▁ may stand in a piece


@lean(cache=True)
def first_keys(text, last, bits, count, keys):
    """Key of each suffix: its first `count` symbols in a uint64, `bits` each."""
    shift = np.uint64(bits)
    top = np.uint64(bits * (count - 1))
    key = np.uint64(0)
    for p in range(text.size - 1, -1, -1):
        if last[p]:
            key = np.uint64(0)
        key = (key >> shift) | (np.uint64(text[p]) << top)
        keys[p] = key


@lean(cache=True)
def ranks_of(order, keys, ranks):
    """Rank of each suffix from 1 on; equal keys have equal ranks."""
    rank = 0
    for k in range(order.size):
        if k == 0 or keys[order[k]] != keys[order[k - 1]]:
            rank += 1
        ranks[order[k]] = rank
    return rank


@lean(cache=True)
def longer_keys(ranks, stops, step, keys):
    """Keys that tell twice as much: the rank of a suffix and that of the one `step` symbols on."""
    for p in range(ranks.size):
        further = ranks[p + step] if p + step < stops[p] else 0
        keys[p] = (np.uint64(ranks[p]) << np.uint64(32)) | np.uint64(further)


@lean
def is_valid(text, p, length, classes, place, only_spaces):
    """May text[p : p + length] be a piece? Defined by ``Validity`` in unigram/seed_pieces.py."""
    before = ANY
    blank = only_spaces
    for k in range(p, p + length):
        blank &= classes[text[k]] == SPACE
    for k in range(length):
        kind = classes[text[p + k]]
        if kind == FORBIDDEN or (kind == ALONE and length > 1):
            return False
        if kind == SPACE:
            end = k == length - 1
            if not blank and (
                (place == FIRST and k > 0) or (place == LAST and not end)
                or (place == NOT_LAST and k > 0 and end)
                or (place == NOT_FIRST and k == 0 and not end)
            ):
                return False
        else:
            kind = before if kind == INHERITED else kind
            if kind != ANY and before != ANY and kind != before:
                return False
            before = ANY if kind == ALONE else kind
    return True


@lean
def common_length(text, stops, p, q, most):
    """How many symbols two suffixes have in common at their beginning, at most `most`."""
    most = min(most, stops[p] - p, stops[q] - q)
    for k in range(most):
        if text[p + k] != text[q + k]:
            return k
    return most


@lean(cache=True)
def inner_nodes(
    order, text, stops, classes, leads, ends, longest, place, only_spaces, stack, nodes
):
    """Rows (low, high, length, again) of `nodes`, one for each seed.

    order[low:high] are the suffixes that begin with it, of which order[low:again] count twice.
    stops[p]: where suffix p ends (the symbol before that is not part of the word). leads: what must
    differ in the symbols that follow, such as their first bytes; the first `ends` symbols are ends
    of lines. stack: room for (longest + 2, 2). Returns the number of nodes.
    """
    found, top = 0, 0
    stack[0, 0], stack[0, 1] = 0, 0
    for r in range(1, order.size + 1):
        same = 0
        if r < order.size:
            same = common_length(text, stops, order[r - 1], order[r], longest + 1)
        low = r - 1
        while stack[top, 0] > same:
            length, low = stack[top, 0], stack[top, 1]
            top -= 1
            begin = low
            while begin < r and order[begin] + length >= stops[order[begin]]:
                begin += 1  # of which the symbol that follows the word is a part
            if 2 <= length <= longest and begin < r:
                p, after = order[begin], begin
                while after < r and text[order[after] + length] <= ends:
                    after += 1
                first = text[p + length]
                differ = leads[first] != leads[text[order[r - 1] + length]]
                twice = after > begin and text[order[after - 1] + length] != first
                if (differ or twice) and is_valid(text, p, length, classes, place, only_spaces):
                    nodes[found, 0], nodes[found, 1], nodes[found, 2] = begin, r, length
                    nodes[found, 3] = after if differ and twice else begin
                    found += 1
        if stack[top, 0] < same:
            top += 1
            stack[top, 0], stack[top, 1] = same, low
    return found


@lean(cache=True)
def fill_edges(order, nodes, first, characters, text, last, free, ids, lengths):
    """Edges by position: the character there, then each node (id `first` + row) that begins there.

    free[p]: where the next edge of position p goes; updated.
    """
    for p in range(text.size):
        if not last[p]:
            ids[free[p]] = characters[text[p]]
            lengths[free[p]] = 1
            free[p] += 1
    for k in range(nodes.shape[0]):
        for r in range(nodes[k, 0], nodes[k, 1]):
            at = free[order[r]]
            ids[at] = first + k
            lengths[at] = nodes[k, 2]
            free[order[r]] = at + 1
