"""SentencePiece's BPE over many texts: words that no piece can reach across are remembered.

A text can be cut between two characters that stand side by side in no piece, for nothing is ever
joined there: before most ▁, between letters and marks, between most Chinese characters. The memory
of words is that of ``bpe.byte_bpe_kernel``, the definition ``SentencePieceBPE.tokens_of``.
"""

from collections import namedtuple

import numpy as np

from ..bpe.merging_kernel import NO_PAIR, merge_linked, pair_value
from ..text.machine_kernel import lean, trailing_zeros
from ..text.memory_kernel import LONGEST, forget_if_full, recall, remember
from ..text.pieces_kernel import (
    ID,
    MIX1,
    ONE,
    S24,
    S29,
    S32,
    SHORT,
    ZERO,
    long_hash,
    long_slot,
    short_key,
    short_slot,
)
from .normalizer_kernel import character_width, longest_rule

UNKNOWN, FROZEN = 1 << 28, 1 << 29  # above all ids of characters and pieces
SPACE, NARROW = 0x2581, 129  # ▁ and U+0080 change places, so that ▁ is in the narrow table

Pieces = namedtuple(
    "Pieces", "characters pairs symbols symbol_ids lengths byte_ids unk narrow_joints wide_joints"
)
Scratch = namedtuple("Scratch", "symbols finals following before heap values")


@lean
def code_point(text, i, width):
    value = np.int64(text[i])
    if width > 1:
        value &= (1 << (7 - width)) - 1
    for k in range(1, width):
        value = value << 6 | (np.int64(text[i + k]) & 0x3F)
    return value


@lean
def is_joint(left, right, pieces):
    """Do these two characters stand side by side in any piece?"""
    if left < NARROW and right < NARROW:
        return pieces.narrow_joints[left * NARROW + right]
    key = pair_key(left, right)
    return pieces.wide_joints[np.int64(joint_slot(pieces.wide_joints, key))] == key


@lean(forceinline=True)
def pair_key(left, right):
    return (np.uint64(left) << S32 | np.uint64(right)) + ONE


@lean
def joint_slot(table, key):
    """Slot of a pair of characters, or the free slot where it belongs."""
    h = key * MIX1
    slot = (h ^ (h >> S29)) >> np.uint64(7)
    last = np.uint64(table.size - 1)
    while True:
        slot &= last
        if table[slot] == key or table[slot] == ZERO:
            return slot
        slot += ONE


@lean(cache=True)
def add_joints(lefts, rights, narrow, wide):
    """Fill the two tables of characters that stand side by side."""
    for k in range(lefts.size):
        left, right = swapped(np.int64(lefts[k])), swapped(np.int64(rights[k]))
        if left < NARROW and right < NARROW:
            narrow[left * NARROW + right] = True
        else:
            key = pair_key(left, right)
            wide[np.int64(joint_slot(wide, key))] = key


@lean(forceinline=True)
def swapped(point):
    if point == SPACE:
        return 0x80
    return SPACE if point == 0x80 else point


@lean
def word_end(text, i, stop, pieces):
    """Where the word at i ends: before the first character that is joined to none before it."""
    before = np.int64(-1)
    while i < stop:
        width, point = 1, np.int64(text[i])
        if point >= 128:
            width = max(character_width(text[i]), 1)
            point = swapped(code_point(text, i, width))
        if before >= 0 and not is_joint(before, point, pieces):
            break
        before = point
        i += width
    return i


@lean
def cut(text, i, end, pieces, symbols):
    """User-defined symbols and characters of text[i:end] into `symbols`; returns how many."""
    count = 0
    while i < end:
        length, value = longest_rule(pieces.symbols, text, i, end)
        if length:
            symbols[count] = FROZEN + pieces.symbol_ids[value]
        else:
            length = max(character_width(text[i]), 1)
            symbols[count] = pieces.characters[code_point(text, i, length)]
        count += 1
        i += length
    return count


@lean
def merge_near(symbols, values, count, pairs):
    """Join the pair of lowest rank, the leftmost first; for short words."""
    for k in range(count - 1):
        values[k] = pair_value(pairs, symbols[k], symbols[k + 1])
    while count > 1:
        best, where = NO_PAIR, 0
        for k in range(count - 1):
            if values[k] >> S32 < best >> S32:
                best, where = values[k], k
        if best == NO_PAIR:
            break
        symbols[where] = np.int32(best & ID)
        count -= 1
        for k in range(where + 1, count):
            symbols[k] = symbols[k + 1]
            values[k - 1] = values[k]
        if where > 0:
            values[where - 1] = pair_value(pairs, symbols[where - 1], symbols[where])
        if where + 1 < count:
            values[where] = pair_value(pairs, symbols[where], symbols[where + 1])
    return count


@lean
def finish(text, i, count, pieces, symbols, finals):
    """Ids of the symbols of the text from i on: unknown ones as bytes, or a run of them as unk."""
    n = 0
    for k in range(count):
        symbol = symbols[k]
        if symbol >= FROZEN:
            symbol -= FROZEN
        if symbol < pieces.lengths.size:
            finals[n] = symbol
            n += 1
            i += pieces.lengths[symbol]
            continue
        width = character_width(text[i])
        if pieces.byte_ids[0] >= 0:
            for b in range(width):
                finals[n] = pieces.byte_ids[text[i + b]]
                n += 1
        elif n == 0 or finals[n - 1] != pieces.unk:
            finals[n] = pieces.unk
            n += 1
        i += width
    return n


@lean
def encode_word(text, i, end, pieces, scratch, finals):
    """Ids of one word into `finals`; returns how many."""
    count = cut(text, i, end, pieces, scratch.symbols)
    if count <= scratch.values.size:
        count = merge_near(scratch.symbols, scratch.values, count, pieces.pairs)
    else:
        count = merge_linked(
            scratch.symbols, count, pieces.pairs, scratch.following, scratch.before, scratch.heap
        )
    return finish(text, i, count, pieces, scratch.symbols, finals)


@lean
def join_unknown(out, n, here, start, pieces):
    """A run of unknown characters is one id, also where it goes on in the next word."""
    if here > start and out[here] == pieces.unk and out[here - 1] == pieces.unk:
        for k in range(here, n - 1):
            out[k] = out[k + 1]
        return n - 1
    return n


@lean(cache=True, nogil=True)
def encode(text, segments, pieces, memory, scratch, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `progress` is (segment, byte, ids so far),
    zeros at first. Returns 0 when all is done, or the length of a word too long for `scratch`.
    """
    n = progress[2]
    short, long = memory.short, memory.long
    short_shift = np.uint64(64) - trailing_zeros(np.uint64(short.size // 4))
    long_shift = np.uint64(64) - trailing_zeros(np.uint64(long.size // 4))
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        start = ends[s - 1] if s else 0
        if s == progress[0]:
            i = max(i, progress[1])
        while i < stop:
            end = word_end(text, i, stop, pieces)
            length, here = end - i, n
            if length <= SHORT:
                low, high = short_key(text, i, length)
                at = short_slot(short, short_shift, low, high)
                if short[at + ONE] == ZERO:
                    count = encode_word(text, i, end, pieces, scratch, memory.symbols)
                    short[at], short[at + ONE] = low, high
                    remember(memory, at, short, count)
                    memory.used[0] += 1
                    n = recall(memory, short, at, out, n)
                    forget_if_full(memory)
                else:
                    n = recall(memory, short, at, out, n)
            elif length <= LONGEST:
                hashed = long_hash(text, i, length)
                at = long_slot(long, long_shift, hashed, text, i, length, memory.stored)
                if long[at] == ZERO:
                    count = encode_word(text, i, end, pieces, scratch, memory.symbols)
                    place = memory.used[3]
                    for k in range(length):
                        memory.stored[place + k] = text[i + k]
                    memory.used[3] = place + length
                    long[at] = hashed
                    long[at + ONE] = np.uint64(place) << S24 | np.uint64(length)
                    remember(memory, at, long, count)
                    memory.used[2] += 1
                    n = recall(memory, long, at, out, n)
                    forget_if_full(memory)
                else:
                    n = recall(memory, long, at, out, n)
            elif length <= scratch.symbols.size:
                count = encode_word(text, i, end, pieces, scratch, scratch.finals)
                for k in range(count):
                    out[n + k] = scratch.finals[k]
                n += count
            else:
                progress[0], progress[1], progress[2] = s, i, n
                return length
            n = join_unknown(out, n, here, start, pieces)
            i = end
        ends[s] = n
    progress[0], progress[1], progress[2] = segments.shape[0], 0, n
    return 0
