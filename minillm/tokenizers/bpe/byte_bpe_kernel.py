"""Text to ids in three passes over a thousand pieces at a time.

Natural text repeats itself: almost every piece has been seen before. So pieces get numbers first,
those of a memory (``memory_kernel``); then the few that are new are merged; then the ids of all
are written down. Each pass does one thing over and over, and what it asks of the machine's memory
for one piece does not wait for the piece before. The definition is ``ByteBPE.encode_piece``.
"""

from collections import namedtuple

import numpy as np

from ..pre_tokenizers.ascii_kernel import WINDOW, next_begins, next_piece
from ..text.index_kernel import entry_at, first_slot, may_hold, put_bits
from ..text.machine_kernel import lean, trailing_zeros
from ..text.memory_kernel import (
    LONGEST,
    SPARE,
    add_piece,
    has_ids,
    has_room,
    is_new,
    place_in,
    put_ids,
    recall,
    remember,
)
from ..text.pieces_kernel import ONE, ZERO, mixed, pair_key
from ..text.utf8_kernel import character_width, code_point
from .merging_kernel import merge_scanning, merge_valued

# byte_ids: (256,) id of each byte, or -1. pairs: ``Pairs`` of ``merging_kernel``; byte_pairs: what
# it has for each two bytes, empty where a byte has no id. entries: ``Entries`` of the vocabulary.
# made: (V,) is this entry what its merges make? whole: is a piece that is an entry this
# entry, whatever they make? joints: where pieces may be cut.
Vocabulary = namedtuple("Vocabulary", "byte_ids pairs byte_pairs made whole entries joints")
# pairs: a Bloom filter of the characters that stand side by side in an entry; LAST + byte and
# LEAD + byte stand for characters that end or begin with this byte, of which an entry has only a
# part. parts: (65536,) does any entry have such a part at these two bytes? Of no size: nothing may
# be cut. A pair too many in the filter only leaves a piece longer than it must be.
Joints = namedtuple("Joints", "pairs parts")
LEAD, LAST = 0x110000, 0x110100
# numbers: of the pieces of a block. starts, lengths: where its new ones are. ids: room for one.
Block = namedtuple("Block", "numbers starts lengths seen ids")
FEW = 4  # bytes of a piece that is not worth cutting
FULL = -1


def new_block():
    """Room for a block of pieces."""
    return Block(
        np.empty(SPARE, np.int32), np.empty(SPARE, np.int64), np.empty(SPARE, np.int64),
        np.empty(SPARE, np.uint64), np.empty(LONGEST + 3, np.int32),
    )


@lean(forceinline=True)
def merge_piece(text, i, end, words, memory, alone):
    """Ids of one piece of at most LONGEST bytes, into `memory.symbols`; returns how many.

    alone: is it a whole piece, not a part of one?
    """
    symbols, values = memory.symbols, memory.room
    found = entry_at(text, i, end - i, words.entries)
    if found >= 0 and (words.made[found] or (alone and words.whole)):
        symbols[0] = found
        return 1
    if words.byte_pairs.size:
        for k in range(i, end - 1):
            symbols[k - i] = words.byte_ids[text[k]]
            values[k - i] = words.byte_pairs[np.int64(text[k]) << 8 | text[k + 1]]
        symbols[end - 1 - i] = words.byte_ids[text[end - 1]]
        return merge_valued(symbols, values, end - i, words.pairs)
    return merge_known_bytes(text, i, end, words.byte_ids, words.pairs, symbols, values)


@lean
def merge_known_bytes(text, i, end, byte_ids, pairs, symbols, values):
    """The same for a vocabulary without some bytes, which are left out."""
    count = 0
    for k in range(i, end):
        first = byte_ids[text[k]]
        if first >= 0:
            symbols[count] = first
            count += 1
    return merge_scanning(symbols, values, count, pairs)


@lean(cache=True)
def put_neighbours(lefts, rights, bits):
    """Put pairs of characters into the filter of ``Joints``."""
    for k in range(lefts.size):
        put_bits(bits, pair_key(lefts[k], rights[k]))


@lean
def unit_end(text, i, end, joints):
    """Where the piece text[i:end] may first be cut: between two characters that no entry spans.

    Nothing is ever joined across such a place. Two ASCII characters are left together.
    """
    width = character_width(text[i])
    before = code_point(text, i, width)
    i += width
    while i < end:
        width = character_width(text[i])
        point = code_point(text, i, width)
        if (before >= 128 or point >= 128) and not may_hold(
            joints.pairs, pair_key(before, point)
        ):
            last, lead = np.int64(text[i - 1]), np.int64(text[i])
            if not joints.parts[last << 8 | lead] or not (
                may_hold(joints.pairs, pair_key(before, LEAD + lead))
                or may_hold(joints.pairs, pair_key(LAST + last, point))
                or may_hold(joints.pairs, pair_key(LAST + last, LEAD + lead))
            ):
                return i
        before = point
        i += width
    return end


@lean(forceinline=True)
def unit_length(text, i, end, words):
    """Bytes of the unit at i of a piece that ends at `end`."""
    return (unit_end(text, i, end, words.joints) if words.joints.parts.size else end) - i


@lean(forceinline=True)
def number_piece(text, i, length, memory, block, count, fresh):
    """Put the number of a piece into the block; returns how many are new so far."""
    place = place_in(memory, text, i, length)
    number = place.number
    if is_new(place):
        number = add_piece(memory, place, text, i, length)
        block.starts[fresh], block.lengths[fresh] = i, length
        fresh += 1
    block.numbers[count] = number
    return fresh


@lean
def number_pieces(text, segments, splitting, memory, block, s, i):
    """The numbers of the next pieces, from byte i of segment s on; -1 stands where one ends.

    Returns (numbers, new pieces, segment, byte, end of the piece there): it stops when the block is
    full, at the end, or before a piece longer than LONGEST. What is new has no ids yet.
    """
    count, fresh = 0, 0
    while s < segments.shape[0]:
        stop = segments[s, 1]
        while i < stop:
            if count > SPARE - WINDOW:
                return count, fresh, s, i, i
            begins = next_begins(text, i, stop, splitting)
            if begins == ZERO:
                length = next_piece(text, i, stop, splitting)
                if length > LONGEST:
                    return count, fresh, s, i, i + length
                fresh = number_piece(text, i, length, memory, block, count, fresh)
                count += 1
                i += length
            window = i
            while begins:
                end = window + np.int64(trailing_zeros(begins))
                fresh = number_piece(text, i, end - i, memory, block, count, fresh)
                count += 1
                i = end
                begins &= begins - ONE
        if count == SPARE:
            return count, fresh, s, i, i
        block.numbers[count] = -1
        count += 1
        s += 1
        if s < segments.shape[0]:
            i = segments[s, 0]
    return count, fresh, s, i, i


@lean
def look_ahead(memory, first, count, entries, seen):
    """Ask for what the search for `count` new pieces among the entries is going to read.

    The answers arrive together; each search by itself would wait for its own.
    """
    slots, last = entries.slots, np.uint64(entries.slots.size - 1)
    for k in range(count):
        hashed = mixed(memory.keys[first + k, 0], memory.keys[first + k, 1])
        seen[k] = slots[first_slot(hashed, slots)]
    for k in range(count):
        seen[k] = entries.keys[max(seen[k] & last, ONE) - ONE, 0]


@lean
def fill_new(text, words, memory, block, first, count):
    """Find the ids of the `count` new pieces whose numbers begin at `first`."""
    look_ahead(memory, first, count, words.entries, block.seen)
    for k in range(count):
        i, length = block.starts[k], block.lengths[k]
        unit = length
        if length > FEW and text[i + length - 1] >= 128:
            unit = unit_length(text, i, i + length, words)
        if unit == length:
            ids = merge_piece(text, i, i + length, words, memory, True)
        else:
            ids = encode_units(text, i, i, i + length, words, memory, block.ids, 0)[1]
            for j in range(ids):
                memory.symbols[j] = block.ids[j]
        put_ids(memory, first + k, ids)


@lean
def encode_units(text, i, start, end, words, memory, out, n):
    """The piece text[start:end] unit by unit, from i on; returns (where it stopped, ids so far).

    It stops before the end at a unit longer than LONGEST.
    """
    while i < end:
        length = unit_length(text, i, end, words)
        if length > LONGEST:
            break
        alone = length == end - start
        place = place_in(memory, text, i, length, words.whole and not alone)
        if has_ids(memory, place):
            n = recall(memory, place.number, out, n)
        else:
            count = merge_piece(text, i, i + length, words, memory, alone)
            if is_new(place) and has_room(memory):
                n = remember(memory, place, text, i, length, count, out, n)
            else:
                for k in range(count):
                    out[n + k] = memory.symbols[k]
                n += count
        i += length
    return i, n


@lean
def write_ids(memory, block, count, out, ends, s, n):
    """The ids of the pieces with these numbers, and the ends of segments from `s` on."""
    for k in range(count):
        number = block.numbers[k]
        if number < 0:
            ends[s] = n
            s += 1
        else:
            n = recall(memory, number, out, n)
    return n


@lean(cache=True, nogil=True)
def encode(text, segments, splitting, words, memory, block, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `progress` is (segment, byte, ids so far,
    start and end of a long piece at that byte), at first (0, first byte, 0, 0, 0). The kernel stops
    at a unit longer than LONGEST and returns its length, for the caller to merge; at a memory
    without room, with FULL; or with 0 when all is done.
    """
    s, i, n, start, end = progress
    while s < segments.shape[0]:
        if i < end:
            i, n = encode_units(text, i, start, end, words, memory, out, n)
        stopped = unit_length(text, i, end, words) if i < end else 0
        if stopped == 0 and not has_room(memory):
            stopped = FULL
        if stopped != 0:
            progress[0], progress[1], progress[2], progress[3], progress[4] = s, i, n, start, end
            return stopped
        first, before = memory.used[0], s
        count, fresh, s, i, end = number_pieces(text, segments, splitting, memory, block, s, i)
        fill_new(text, words, memory, block, first, fresh)
        n = write_ids(memory, block, count, out, ends, before, n)
        start = i
    progress[2] = n
    return 0
