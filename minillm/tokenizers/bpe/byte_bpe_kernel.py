"""Text to ids in one pass: find a piece, look it up, and merge only what was never seen before.

Natural text repeats itself: almost every piece has been seen, so most of the time is spent finding
where pieces end (``scanning_kernel``) and finding them in a table (``pieces_kernel``). What a
memory of pieces holds is told in ``memory_kernel``. The definition is ``ByteBPE.encode_piece``.
"""

from collections import namedtuple

from ..pre_tokenizers.ascii_kernel import next_piece
from ..text.machine_kernel import lean
from ..text.memory_kernel import LONGEST, recall, remember, slot_in
from ..text.pieces_kernel import entry_at, is_free
from .merging_kernel import merge_scanning

# byte_ids: (256,) id of each byte, or -1. pairs: the table of ``merging_kernel``. entries:
# ``Entries`` of the vocabulary. whole: (V,) is a piece that is this entry this entry alone?
Vocabulary = namedtuple("Vocabulary", "byte_ids pairs whole entries")


@lean
def merge_piece(text, i, end, words, memory):
    """Ids of one piece of at most LONGEST bytes, into `memory.symbols`; returns how many."""
    symbols = memory.symbols
    found = entry_at(text, i, end - i, words.entries)
    if found >= 0 and words.whole[found]:
        symbols[0] = found
        return 1
    count = 0
    for k in range(i, end):
        first = words.byte_ids[text[k]]
        if first >= 0:
            symbols[count] = first
            count += 1
    return merge_scanning(symbols, memory.values, count, words.pairs)


@lean(cache=True, nogil=True)
def encode(text, segments, splitting, words, memory, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `progress` is (segment, byte, ids so far),
    zeros at first. The kernel stops at a piece longer than LONGEST and returns its length, for the
    caller to merge, or 0 when all is done.
    """
    n = progress[2]
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == progress[0]:
            i = max(i, progress[1])
        while i < stop:
            length = next_piece(text, i, stop, splitting)
            if length > LONGEST:
                progress[0], progress[1], progress[2] = s, i, n
                return length
            slot = slot_in(memory, text, i, length)
            if is_free(slot):
                count = merge_piece(text, i, i + length, words, memory)
                n = remember(memory, slot, text, i, length, count, out, n)
            else:
                n = recall(memory, slot, out, n)
            i += length
        ends[s] = n
    progress[0], progress[1], progress[2] = segments.shape[0], 0, n
    return 0
