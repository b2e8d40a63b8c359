"""Text to ids in one pass: find a piece, look it up, and merge only what was never seen before.

Natural text repeats itself: almost every piece has been seen, so most of the time is spent finding
where pieces end (``scanning_kernel``) and finding them in a table (``pieces_kernel``). What a
memory of pieces holds is told in ``memory_kernel``. The definition is ``ByteBPE.encode_piece``.
"""

from collections import namedtuple

import numpy as np

from ..pre_tokenizers.ascii_kernel import next_piece
from ..text.machine_kernel import lean
from ..text.memory_kernel import LONGEST, recall, remember, slot_in
from ..text.pieces_kernel import entry_at, is_free, pair_key, pair_slot
from ..text.utf8_kernel import character_width, code_point
from .merging_kernel import merge_scanning, merge_valued

# byte_ids: (256,) id of each byte, or -1. pairs: the table of ``merging_kernel``; byte_pairs: what
# it has for each two bytes, empty where a byte has no id. entries: ``Entries`` of the vocabulary.
# made: (V,) is this entry what its merges make? whole: is a piece that is an entry this
# entry, whatever they make? joints: where pieces may be cut.
Vocabulary = namedtuple("Vocabulary", "byte_ids pairs byte_pairs made whole entries joints")
# pairs: a hash table of characters that stand side by side in an entry; LAST + byte and LEAD + byte
# stand for characters that end or begin with this byte, of which an entry has only a part. parts:
# (65536,) does any entry have such a part at these two bytes? Of no size: nothing may be cut.
Joints = namedtuple("Joints", "pairs parts")
LEAD, LAST = 0x110000, 0x110100
FEW = 4  # bytes of a piece that is not worth cutting


@lean
def merge_piece(text, i, end, words, memory, alone):
    """Ids of one piece of at most LONGEST bytes, into `memory.symbols`; returns how many."""
    symbols, values = memory.symbols, memory.values
    found = entry_at(text, i, end - i, words.entries)
    if found >= 0 and (words.made[found] or (alone and words.whole)):
        symbols[0] = found
        return 1
    count = 0
    if words.byte_pairs.size:
        for k in range(i, end - 1):
            symbols[k - i] = words.byte_ids[text[k]]
            values[k - i] = words.byte_pairs[np.int64(text[k]) << 8 | text[k + 1]]
        symbols[end - 1 - i] = words.byte_ids[text[end - 1]]
        return merge_valued(symbols, values, end - i, words.pairs)
    for k in range(i, end):
        first = words.byte_ids[text[k]]
        if first >= 0:
            symbols[count] = first
            count += 1
    return merge_scanning(symbols, values, count, words.pairs)


@lean
def has_pair(left, right, table):
    """Is this pair in a hash table of pairs?"""
    key = pair_key(left, right)
    return table[np.int64(pair_slot(table, key, 1))] == key


@lean(cache=True)
def fill_pairs(lefts, rights, table):
    """Put pairs into an empty hash table."""
    for k in range(lefts.size):
        key = pair_key(lefts[k], rights[k])
        table[np.int64(pair_slot(table, key, 1))] = key


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
        if (before >= 128 or point >= 128) and not has_pair(before, point, joints.pairs):
            last, lead = np.int64(text[i - 1]), np.int64(text[i])
            if not joints.parts[last << 8 | lead] or not (
                has_pair(before, LEAD + lead, joints.pairs)
                or has_pair(LAST + last, point, joints.pairs)
                or has_pair(LAST + last, LEAD + lead, joints.pairs)
            ):
                return i
        before = point
        i += width
    return end


@lean
def unit_length(text, i, end, words):
    """Bytes of the unit at i of a piece that ends at `end`."""
    return (unit_end(text, i, end, words.joints) if words.joints.parts.size else end) - i


@lean
def encode_units(text, i, end, words, memory, out, n, start):
    """The piece text[start:end] unit by unit, from i on; returns (where it stopped, ids so far).

    It stops before the end at a unit longer than LONGEST.
    """
    while i < end:
        length = unit_length(text, i, end, words)
        if length > LONGEST:
            break
        alone = i == start and i + length == end
        if words.whole and not alone:  # what is remembered of an entry may be that of a whole piece
            found = entry_at(text, i, length, words.entries)
            if found >= 0 and not words.made[found]:
                for k in range(merge_piece(text, i, i + length, words, memory, False)):
                    out[n] = memory.symbols[k]
                    n += 1
                i += length
                continue
        slot = slot_in(memory, text, i, length)
        if is_free(slot):
            count = merge_piece(text, i, i + length, words, memory, alone)
            n = remember(memory, slot, text, i, length, count, out, n)
        else:
            n = recall(memory, slot, out, n)
        i += length
    return i, n


@lean
def keep_whole(memory, text, i, length, out, begun, n):
    """Keep the ids out[begun:n] for the piece text[i : i + length], whose units were encoded."""
    slot = slot_in(memory, text, i, length)
    if is_free(slot):
        for k in range(begun, n):
            memory.symbols[k - begun] = out[k]
        remember(memory, slot, text, i, length, n - begun, out, begun)


@lean(cache=True, nogil=True)
def encode(text, segments, splitting, words, memory, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `progress` is (segment, byte, ids so far,
    end of the piece at that byte), zeros at first. The kernel stops at a piece longer than LONGEST
    and returns its length, for the caller to merge, or 0 when all is done.
    """
    n = progress[2]
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == progress[0] and progress[1] > i:
            i, end = progress[1], progress[3]
            i, n = encode_units(text, i, end, words, memory, out, n, -1)
            if i < end:
                progress[1], progress[2] = i, n
                return unit_length(text, i, end, words)
        while i < stop:
            length = next_piece(text, i, stop, splitting)
            end = i + length
            if length <= LONGEST:
                slot = slot_in(memory, text, i, length)
                if not is_free(slot):
                    n = recall(memory, slot, out, n)
                    i = end
                    continue
                if length <= FEW or text[end - 1] < 128 or words.joints.parts.size == 0:
                    count = merge_piece(text, i, end, words, memory, True)
                    n = remember(memory, slot, text, i, length, count, out, n)
                    i = end
                    continue
            start, begun = i, n
            i, n = encode_units(text, i, end, words, memory, out, n, i)
            if i < end:
                progress[0], progress[1], progress[2], progress[3] = s, i, n, end
                return unit_length(text, i, end, words)
            if length <= LONGEST:
                keep_whole(memory, text, start, length, out, begun, n)
        ends[s] = n
    progress[0], progress[1], progress[2], progress[3] = segments.shape[0], 0, n, 0
    return 0
