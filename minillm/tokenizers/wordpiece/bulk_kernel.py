"""WordPiece over whole texts: BERT's normalizer, its pre-tokenizer and longest match in one pass.

A word is normalized into a small buffer, then looked up in the memory of words seen before
(``text.memory_kernel``); only new words are spelled.
"""

from collections import namedtuple

import numpy as np

from ..text.index_kernel import entry_at
from ..text.machine_kernel import lean
from ..text.memory_kernel import LONGEST, has_room, is_new, place_in, recall, remember
from ..text.utf8_kernel import character_width, code_point

KEEP, DELETE, SPACE, ISOLATE, REWRITE, COMPLEX = 0, 1, 2, 3, 4, 5
FINISHED, TOO_COMPLEX, FULL = range(3)
NO_WORD = 0, 0  # bytes and characters of the word at hand

# action (0x110000,) what to do with a code point; plain (128,) the byte that an ASCII one becomes;
# place (0x110000,) where its rewriting begins in `steps` (n, 3): action, start, end in `bytes`,
# ended by action DELETE.
Rules = namedtuple("Rules", "action plain place steps bytes")
# first, inner: ``Entries`` that begin a word, and that go on with one. widest: bytes of the
# longest entry. longest: characters of the longest word that is not unknown.
Table = namedtuple("Table", "first inner widest unk longest")


@lean
def spell(word, length, table, ids, n):
    """Ids of the word in ``word[:length]``, longest match first, into ids[n:]; how many."""
    start, count = 0, 0
    while start < length:
        entries = table.first if start == 0 else table.inner
        end = min(length, start + table.widest)
        found = -1
        while end > start:
            if end == length or word[end] & 0xC0 != 0x80:
                found = entry_at(word, start, end - start, entries)
                if found >= 0:
                    break
            end -= 1
        if found < 0:
            ids[n] = table.unk
            return 1
        ids[n + count] = found
        count += 1
        start = end
    return count


@lean
def put_word(buffer, part, table, memory, out, n):
    """Write the ids of a word (bytes in the buffer, characters) to out[n:]; returns their end."""
    length, characters = part
    if length == 0:
        return n
    if characters > table.longest:
        out[n] = table.unk
        return n + 1
    if length > LONGEST:
        return n + spell(buffer, length, table, out, n)
    place = place_in(memory, buffer, 0, length)
    if not is_new(place):
        return recall(memory, place.number, out, n)
    count = spell(buffer, length, table, memory.symbols, 0)
    return remember(memory, place, buffer, 0, length, count, out, n)


@lean(cache=True, nogil=True)
def encode_given(text, words, table, memory, out, ends, progress):
    """Ids of the words (n, 2) of `text` into `out`; `ends[s]` ids after word s.

    `progress` is (word, ids so far). Returns FULL where the memory has no room, or FINISHED.
    """
    n = progress[1]
    for s in range(progress[0], words.shape[0]):
        if not has_room(memory):
            progress[0], progress[1] = s, n
            return FULL
        word = text[words[s, 0] : words[s, 1]]
        characters = 0
        for byte in word:
            characters += byte & 0xC0 != 0x80
        n = put_word(word, (word.size, characters), table, memory, out, n)
        ends[s] = n
    progress[0], progress[1] = words.shape[0], n
    return FINISHED


@lean(forceinline=True)
def grow_word(word, part, table, data, start, end):
    """The word (length, characters) in a buffer, with one more character, data[start:end].

    What makes it longer than any known word is left out.
    """
    length, characters = part
    if characters > table.longest:
        return part
    for k in range(end - start):
        word[length + k] = data[start + k]
    return length + end - start, characters + 1


@lean
def rewrite(at, part, rules, table, memory, word, out, n):
    """Put the rewriting from step `at` on into words; returns (word at hand, ids so far)."""
    while rules.steps[at, 0] != DELETE:
        step, first, last = rules.steps[at]
        if step != KEEP:
            n = put_word(word, part, table, memory, out, n)
            part = NO_WORD
        if step != SPACE:
            part = grow_word(word, part, table, rules.bytes, first, last)
        if step == ISOLATE:
            n = put_word(word, part, table, memory, out, n)
            part = NO_WORD
        at += 1
    return part, n


@lean(cache=True, nogil=True)
def encode_words(text, segments, rules, table, room, out, ends, progress):
    """Ids of every segment (n, 2) of `text` into `out`; `ends[s]` ids after segment s.

    room: a memory, and a buffer of at least ``4 * longest + 32`` bytes for a word. `out` has room
    for the ids that the text can give. `progress` is (segment, byte, ids so far). Stops in a
    stretch between white space that has marks whose order matters, and returns TOO_COMPLEX for the
    caller to encode it; FULL where the memory has no room; or FINISHED.
    """
    memory, word = room
    n = progress[2]
    for s in range(progress[0], segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if s == progress[0]:
            i = max(i, progress[1])
        start, before = i, n  # of the stretch, and the ids before it
        part = NO_WORD
        while i < stop:
            width, code = 1, np.int64(text[i])
            if code >= 128:
                width = character_width(text[i])
                code = code_point(text, i, width)
            action = rules.action[code]
            if part[0] == 0 and action != COMPLEX and not has_room(memory):
                progress[0], progress[1], progress[2] = s, i, n  # no mark moves across this place
                return FULL
            if action == KEEP:
                if code < 128:
                    part = grow_word(word, part, table, rules.plain, code, code + 1)
                else:
                    part = grow_word(word, part, table, text, i, i + width)
            elif action == REWRITE:
                part, n = rewrite(rules.place[code], part, rules, table, memory, word, out, n)
            elif action == COMPLEX:
                progress[0], progress[1], progress[2] = s, start, before
                return TOO_COMPLEX
            elif action != DELETE:
                n = put_word(word, part, table, memory, out, n)
                part = NO_WORD
                if action == ISOLATE:
                    alone = grow_word(word, part, table, text, i, i + width)
                    n = put_word(word, alone, table, memory, out, n)
                elif code < 128:
                    start, before = i + 1, n
            i += width
        n = put_word(word, part, table, memory, out, n)
        ends[s] = n
    progress[0], progress[1], progress[2] = segments.shape[0], 0, n
    return FINISHED
