"""The most probable segmentation, fast: Viterbi's algorithm, and a memory of words.

The definition is ``Unigram.best_path``. Where no piece has a ▁ after another character, every
path passes through the beginning of each word, and a word can be cut by itself. Only rounding ties
it to the text before: sums in float32 depend on what they start from. So the memory keeps, with
the ids of a word, its margin, the least difference by which a best edge beat another one; where
rounding could make up that difference the word is cut again from the sum it really starts from.
"""

import numpy as np

from ..text.machine_kernel import lean
from ..text.marks_kernel import is_space, next_space
from ..text.memory_kernel import (
    LONGEST,
    add_piece,
    count_and_note,
    has_room,
    is_new,
    place_in,
    put_ids,
    recall,
)
from ..text.trie_kernel import exact_id
from .viterbi_kernel import find_edges, trace

STEPS = 4096.0  # of a margin, in one


@lean(forceinline=True)
def word_end(text, i, stop, marks, model):
    """End of the part of the text that can be cut by itself."""
    if marks:
        return next_space(text, i + 1, stop)
    if not model.words:
        return stop
    while is_space(text, i, stop):
        i += 3
    return next_space(text, i, stop) if i < stop else stop


@lean
def put_unknown(text, i, stop, model, out, n):
    """The ids of an unknown stretch: bytes if all have ids, or one unknown."""
    if not model.single:
        id = exact_id(text, i, stop, model.units)
        if id >= 0:
            out[n] = id
            return n + 1
    if model.fallback:
        whole = True
        for k in range(i, stop):
            whole &= model.byte_ids[text[k]] >= 0
        if whole:
            for k in range(i, stop):
                out[n + k - i] = model.byte_ids[text[k]]
            return n + stop - i
    out[n] = model.unk_id
    return n + 1


@lean
def put_path(text, i, count, waiting, model, memory, out, n):
    """The ids of a path that begins at byte i; returns (ids so far, start of an unknown stretch).

    An unknown stretch may go on in the next word, so it is written when it ends; -1: there is none.
    """
    path = memory.path
    for k in range(count - 1, -1, -1):
        id, start = path[2 * k + 1] & 0xFFFFFF, i + (path[2 * k + 1] >> 24)
        if id == model.unk_id and model.apart:
            n = put_unknown(text, start, i + path[2 * k], model, out, n)
        elif id == model.unk_id:
            waiting = start if waiting < 0 else waiting
        else:
            if waiting >= 0:
                n = put_unknown(text, waiting, start, model, out, n)
                waiting = -1
            out[n] = id
            n += 1
    return n, waiting


@lean(forceinline=True)
def summed_up(total, ids, first, after, model):
    """The sum goes on over ids[first:after], rounded at every step."""
    for k in range(first, after):
        total += model.values[ids[k]]
        if model.single:
            total = np.float64(np.float32(total))
    return total


@lean
def learn_word(text, i, end, place, model, memory):
    """The number of a new word, which is cut; -1 at a character that no id stands for.

    Its note is its margin. A word with unknown characters has no ids: it is cut each time.
    """
    if not find_edges(text, i, end, 0.0, True, model, memory):
        return np.int64(-1)
    count, margin = trace(end - i, memory)
    words, path = memory.words, memory.path
    for k in range(count):
        words.symbols[k] = path[2 * (count - 1 - k) + 1] & 0xFFFFFF
        if words.symbols[k] == model.unk_id:
            count = 0
            break
    number = add_piece(words, place, text, i, end - i)
    put_ids(words, number, count, np.int64(min(margin * STEPS, 65535.0)))  # rounded down
    return number


@lean(forceinline=True)
def number_of_word(text, i, end, model, memory):
    """The number of a word of at most LONGEST bytes, which is cut and remembered if it is new.

    -1 at a character that no id stands for, which ``memory.best[0]`` bytes come before.
    """
    words = memory.words
    if not has_room(words):
        words.slots[:], words.used[:] = 0, 0
    place = place_in(words, text, i, end - i)
    return learn_word(text, i, end, place, model, memory) if is_new(place) else place.number


@lean(forceinline=True)
def is_certain(slack, length, before, so_far, model, out, n):
    """Do the ids of a word hold after the text before it? Returns that, and the sum so far.

    slack: the margin of the word, `length` bytes. before: bytes of the segment before it.
    so_far: (sum, number of ids in `out` that it is of), brought up to `n` ids if it matters.
    """
    scale, most = model.epsilon * length, model.bound * (length + before)
    if slack > scale * most and -most >= model.lowest:
        return True, so_far
    total, done = so_far
    total = summed_up(total, out, done, n, model)
    most = model.bound * length
    certain = slack > scale * (most + abs(total)) and total - most >= model.lowest
    return certain, (total, n)


@lean(cache=True, nogil=True)
def encode_unigram(text, segments, marks, model, memory, out, ends):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    Each segment is one piece, or with `marks` a piece begins at every ▁ of it. `out` needs room for
    one id per byte and four more. Returns -1, or the place of a character that has no id.
    """
    n = np.int64(0)
    joined = not marks
    for s in range(segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        begin, so_far = i, (0.0, n)  # the sum of the segment's ids, up to one of them
        waiting = -1  # where an unknown stretch began
        while i < stop:
            end = word_end(text, i, stop, marks, model)
            length = end - i
            if length <= LONGEST:
                number = number_of_word(text, i, end, model, memory)
                if number < 0:
                    return i + np.int64(memory.best[0])
                count, note = count_and_note(memory.words, number)
                certain = True
                if joined:
                    slack = np.float64(note) * (1.0 / STEPS)
                    certain, so_far = is_certain(slack, length, i - begin, so_far, model, out, n)
                if certain and count > 0:
                    if waiting >= 0:
                        n = put_unknown(text, waiting, i, model, out, n)
                        waiting, so_far = -1, (so_far[0], n)
                    n = recall(memory.words, number, out, n)
                    i = end
                    continue
            start = summed_up(so_far[0], out, so_far[1], n, model) if joined else 0.0
            if not find_edges(text, i, end, start, False, model, memory):
                return i + np.int64(memory.best[0])
            total = memory.best[length]
            count, _ = trace(length, memory)
            n, waiting = put_path(text, i, count, waiting, model, memory, out, n)
            i, so_far = end, (total, n)
            if waiting >= 0 and not joined:
                n = put_unknown(text, waiting, i, model, out, n)
                waiting = -1
        if waiting >= 0:
            n = put_unknown(text, waiting, stop, model, out, n)
        ends[s] = n
    return -1
