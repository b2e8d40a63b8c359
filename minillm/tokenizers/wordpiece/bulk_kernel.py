"""WordPiece over whole texts: BERT's normalizer, its pre-tokenizer and longest match in one pass.

A word is normalized into a small buffer, then looked up in the memory of words seen before
(``text.memory_kernel``); only new words are spelled.
"""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import lean, trailing_zeros
from ..text.memory_kernel import LONGEST, forget_if_full, recall, remember, whole_piece
from ..text.pieces_kernel import ONE, S24, SHORT, ZERO, long_hash, long_slot, short_key, short_slot

KEEP, DELETE, SPACE, ISOLATE, REWRITE, COMPLEX = 0, 1, 2, 3, 4, 5
FINISHED, TOO_COMPLEX = 0, 1

# action (0x110000,) what to do with a code point; plain (128,) the byte that an ASCII one becomes;
# place (0x110000,) where its rewriting begins in `steps` (n, 3): action, start, end in `bytes`,
# ended by action DELETE.
Rules = namedtuple("Rules", "action plain place steps bytes")
Entries = namedtuple("Entries", "slots data starts")  # tables for ``whole_piece``
Table = namedtuple("Table", "first inner widest unk longest")


@lean
def spell(word, length, table, symbols):
    """Ids of the word in ``word[:length]``, longest match first, into `symbols`; how many."""
    start, count = 0, 0
    while start < length:
        entries = table.first if start == 0 else table.inner
        end = min(length, start + table.widest)
        found = -1
        while end > start:
            if end == length or word[end] & 0xC0 != 0x80:
                found = whole_piece(word, start, end - start, entries)
                if found >= 0:
                    break
            end -= 1
        if found < 0:
            symbols[0] = table.unk
            return 1
        symbols[count] = found
        count += 1
        start = end
    return count


@lean
def put_word(word, length, characters, table, memory, out, n):
    """Write the ids of the word in the buffer to out[n:]; returns where they end."""
    if length == 0:
        return n
    if characters > table.longest:
        out[n] = table.unk
        return n + 1
    if length <= SHORT:
        shift = np.uint64(64) - trailing_zeros(np.uint64(memory.short.size // 4))
        low, high = short_key(word, 0, length)
        at = short_slot(memory.short, shift, low, high)
        if memory.short[at + ONE] != ZERO:
            return recall(memory, memory.short, at, out, n)
        count = spell(word, length, table, memory.symbols)
        memory.short[at], memory.short[at + ONE] = low, high
        remember(memory, at, memory.short, count)
        memory.used[0] += 1
        n = recall(memory, memory.short, at, out, n)
        forget_if_full(memory)
        return n
    if length <= LONGEST:
        shift = np.uint64(64) - trailing_zeros(np.uint64(memory.long.size // 4))
        hashed = long_hash(word, 0, length)
        at = long_slot(memory.long, shift, hashed, word, 0, length, memory.stored)
        if memory.long[at] != ZERO:
            return recall(memory, memory.long, at, out, n)
        count = spell(word, length, table, memory.symbols)
        place = memory.used[3]
        for k in range(length):
            memory.stored[place + k] = word[k]
        memory.used[3] = place + length
        memory.long[at] = hashed
        memory.long[at + ONE] = np.uint64(place) << S24 | np.uint64(length)
        remember(memory, at, memory.long, count)
        memory.used[2] += 1
        n = recall(memory, memory.long, at, out, n)
        forget_if_full(memory)
        return n
    count = spell(word, length, table, memory.symbols)
    for k in range(count):
        out[n + k] = memory.symbols[k]
    return n + count


@lean(cache=True, nogil=True)
def encode_words(text, segments, rules, table, memory, word, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    `word` is a buffer of at least ``4 * longest + 32`` bytes; `out` has room for the ids that the
    text can give. `progress` is (segment, byte, ids so far). Stops in a stretch between white space
    that has marks whose order matters, and returns TOO_COMPLEX for the caller to encode it, or
    FINISHED.
    """
    n = progress[2]
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == progress[0]:
            i = max(i, progress[1])
        start, before = i, n  # of the stretch, and the ids before it
        length, characters = 0, 0
        while i < stop:
            byte = text[i]
            if byte < 128:
                action = rules.action[byte]
                i += 1
                if action == KEEP:
                    if characters <= table.longest:
                        word[length] = rules.plain[byte]
                        length += 1
                        characters += 1
                elif action == SPACE:
                    n = put_word(word, length, characters, table, memory, out, n)
                    length, characters = 0, 0
                    start, before = i, n
                elif action == ISOLATE:
                    n = put_word(word, length, characters, table, memory, out, n)
                    word[0] = byte
                    n = put_word(word, 1, 1, table, memory, out, n)
                    length, characters = 0, 0
                continue
            width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            code = np.int64(byte) & (0xFF >> (width + 1))
            for k in range(1, width):
                code = code << 6 | np.int64(text[i + k]) & 0x3F
            action = rules.action[code]
            if action == COMPLEX:
                progress[0], progress[1], progress[2] = s, start, before
                return TOO_COMPLEX
            if action == KEEP:
                if characters <= table.longest:
                    for k in range(width):
                        word[length + k] = text[i + k]
                    length += width
                    characters += 1
            elif action == SPACE:
                n = put_word(word, length, characters, table, memory, out, n)
                length, characters = 0, 0
            elif action == ISOLATE:
                n = put_word(word, length, characters, table, memory, out, n)
                for k in range(width):
                    word[k] = text[i + k]
                n = put_word(word, width, 1, table, memory, out, n)
                length, characters = 0, 0
            elif action == REWRITE:
                at = rules.place[code]
                while rules.steps[at, 0] != DELETE:
                    step, first, last = rules.steps[at]
                    if step != KEEP:
                        n = put_word(word, length, characters, table, memory, out, n)
                        length, characters = 0, 0
                    if step != SPACE and characters <= table.longest:
                        for k in range(last - first):
                            word[length + k] = rules.bytes[first + k]
                        length += last - first
                        characters += 1
                    if step == ISOLATE:
                        n = put_word(word, length, characters, table, memory, out, n)
                        length, characters = 0, 0
                    at += 1
            i += width
        n = put_word(word, length, characters, table, memory, out, n)
        ends[s] = n
    progress[0], progress[1], progress[2] = segments.shape[0], 0, n
    return FINISHED
