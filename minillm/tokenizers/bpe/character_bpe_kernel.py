"""BPE of characters over many texts: words that no piece can reach across are remembered.

Where words begin ``words_kernel`` has marked. The memory of them is that of ``byte_bpe_kernel``;
the definitions are ``CharacterBPE.encode_word`` and ``SentencePieceBPE.tokens_of``.
"""

from collections import namedtuple

from ..text.index_kernel import entry_at
from ..text.machine_kernel import lean
from ..text.memory_kernel import LONGEST, has_room, is_new, place_in, recall, remember
from ..text.rules_kernel import longest_rule
from ..text.utf8_kernel import character_width, code_point
from ..text.words_kernel import marked_length
from .long_words_kernel import merge_long
from .merging_kernel import merge_scanning

UNKNOWN, FROZEN = 1 << 28, 1 << 29  # above all ids of characters and pieces
FULL = -1

# entries: ``Entries`` of the vocabulary. whole: (V,) is a word that is this entry this entry alone?
Pieces = namedtuple(
    "Pieces", "characters pairs symbols symbol_ids lengths byte_ids unk joints entries whole"
)
# symbols, finals: of a word. room: ``Room`` to merge a long one, whose tokens go to `merged`.
Scratch = namedtuple("Scratch", "symbols finals values room merged")


@lean(forceinline=True)
def cut(text, i, end, pieces, symbols):
    """User-defined symbols and characters of text[i:end] into `symbols`; returns how many."""
    count = 0
    while i < end:
        length, value = longest_rule(pieces.symbols, text, i, end)
        if length:
            symbols[count] = FROZEN + pieces.symbol_ids[value]
        else:
            length = character_width(text[i])
            symbols[count] = pieces.characters[code_point(text, i, length)]
        count += 1
        i += length
    return count


@lean(forceinline=True)
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


@lean(forceinline=True)
def encode_word(text, i, end, pieces, scratch, finals):
    """Ids of one word into `finals`; returns how many."""
    found = entry_at(text, i, end - i, pieces.entries)
    if found >= 0 and pieces.whole[found]:
        finals[0] = found
        return 1
    count = cut(text, i, end, pieces, scratch.symbols)
    if count <= scratch.values.size:
        count = merge_scanning(scratch.symbols, scratch.values, count, pieces.pairs)
        return finish(text, i, count, pieces, scratch.symbols, finals)
    count = merge_long(scratch.symbols, count, pieces.pairs, scratch.room, scratch.merged)
    return finish(text, i, count, pieces, scratch.merged, finals)


@lean(forceinline=True)
def join_unknown(out, n, here, start, pieces):
    """A run of unknown characters is one id, also where it goes on in the next word."""
    if here > start and out[here] == pieces.unk and out[here - 1] == pieces.unk:
        for k in range(here, n - 1):
            out[k] = out[k + 1]
        return n - 1
    return n


@lean(cache=True, nogil=True)
def encode(text, segments, marks, pieces, memory, scratch, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `out` needs room for one id per byte and three more. `progress` is (segment, byte, ids so far),
    zeros at first. Returns 0 when all is done, the length of a word too long for `scratch`, or FULL
    where the memory has no room.
    """
    n = progress[2]
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        start = ends[s - 1] if s else 0
        if s == progress[0]:
            i = max(i, progress[1])
        while i < stop:
            end = i + marked_length(text, i, stop, marks)
            length, here = end - i, n
            if length > scratch.symbols.size:
                progress[0], progress[1], progress[2] = s, i, n
                return length
            if length > LONGEST:
                count = encode_word(text, i, end, pieces, scratch, scratch.finals)
                for k in range(count):
                    out[n + k] = scratch.finals[k]
                n += count
            else:
                place = place_in(memory, text, i, length)
                if is_new(place):
                    if not has_room(memory):
                        progress[0], progress[1], progress[2] = s, i, n
                        return FULL
                    count = encode_word(text, i, end, pieces, scratch, memory.symbols)
                    n = remember(memory, place, text, i, length, count, out, n)
                else:
                    n = recall(memory, place.number, out, n)
            n = join_unknown(out, n, here, start, pieces)
            i = end
        ends[s] = n
    progress[0], progress[1], progress[2] = segments.shape[0], 0, n
    return 0


@lean(cache=True, nogil=True)
def token_widths(text, segments, pieces, ids, ends, widths):
    """How many bytes of `text` each token stands for, into `widths`; False where one is unclear.

    ids, ends: of the segments (n, 2), as ``encode`` gives them. The text <0x3C> is unclear: is its
    token that of its first byte, or of all six?
    """
    n, clear = 0, True
    for s in range(segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        while n < ends[s] and i < stop:
            end = i
            if ids[n] == pieces.unk and pieces.byte_ids[0] < 0:
                while end < stop:
                    width = character_width(text[end])
                    if pieces.characters[code_point(text, end, width)] < pieces.lengths.size:
                        break
                    end += width
            elif ids[n] == pieces.byte_ids[text[i]]:
                clear &= text[i] != 0x3C or stop - i < 6 or text[i + 5] != 0x3E
                end += 1
            else:
                end += pieces.lengths[ids[n]]
            widths[n] = end - i
            i = end
            n += 1
        if n < ends[s] or i != stop:
            clear = False
            n = ends[s]
    return clear
