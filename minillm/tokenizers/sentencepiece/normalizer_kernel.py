"""SentencePiece's normalizer over the bytes of many texts.

Plain ASCII is copied byte by byte; everything else is looked up in the double-array tries of
``minillm/tokenizers/normalizers/charsmap.py``, user-defined symbols first. The definition is
``SentencePieceNormalizer.parts``.
"""

import numpy as np

from ..text.machine_kernel import bytes_between, copy32, lean, trailing_zeros
from ..text.pieces_kernel import ONE
from ..text.rules_kernel import longest_rule
from ..text.utf8_kernel import character_width

LAST = np.uint64(1 << 31)  # of 32 bits
LEADING = np.uint8(0xE2), np.uint8(0x96), np.uint8(0x81)  # the bytes of ▁


@lean(forceinline=True)
def put_space(out, n, escape):
    """Write a space, or ▁ with `escape`; returns where it ends."""
    if not escape:
        out[n] = 32
        return n + 1
    out[n], out[n + 1], out[n + 2] = LEADING
    return n + 3


@lean
def put(texts, i, out, n, escape, after):
    """Write the text that begins at i and ends at a zero byte; returns (n, after a space?).

    If `after` is set it is written without the spaces at its start.
    """
    while after and texts[i] == 32:
        i += 1
    while texts[i] != 0:
        after = texts[i] == 32
        if after:
            n = put_space(out, n, escape)
        else:
            out[n] = texts[i]
            n += 1
        i += 1
    return n, after


@lean
def put_character(text, i, out, n, escape, after):
    """The same for the one character at i, or U+FFFD if none begins there."""
    if text[i] & 0xC0 == 0x80:
        out[n], out[n + 1], out[n + 2] = 0xEF, 0xBF, 0xBD
        return n + 3, False
    if text[i] == 32:
        return n if after else put_space(out, n, escape), True
    width = character_width(text[i])
    for k in range(width):
        out[n + k] = text[i + k]
    return n + width, False


@lean
def is_one_space(texts, i):
    """Is the text that begins at i just a space?"""
    return texts[i] == 32 and texts[i + 1] == 0


@lean
def without_spaces(out, begin, n, escape):
    """n without the spaces at the end of out[begin:n]."""
    if not escape:
        while n > begin and out[n - 1] == 32:
            n -= 1
        return n
    while n >= begin + 3 and (out[n - 3], out[n - 2], out[n - 1]) == LEADING:
        n -= 3
    return n


@lean
def chunk(text, i, stop, symbols, rules):
    """(length, table, value) of what stands at i: table 0 a symbol, 1 a rule, 2 a character."""
    length, value = longest_rule(symbols, text, i, stop)
    if length:
        return length, 0, value
    length, value = longest_rule(rules, text, i, stop)
    return length, 1 if length else 2, value


@lean(forceinline=True)
def visible_run(text, i, stop):
    """How many bytes from i on are visible ASCII and stand before ASCII; reads 32."""
    visible = bytes_between(text, i, 33, 94, 0)
    visible &= ~(bytes_between(text, i, 128, 128, 0) >> ONE)
    return min(np.int64(trailing_zeros(~visible | LAST)), stop - i)


@lean(forceinline=True)
def note(origin, start, n, i, step):
    """The new bytes start:n come from byte i of the text, or from it and those behind it."""
    if origin.size:
        for k in range(start, n):
            origin[k] = i + (k - start) * step


@lean(cache=True, nogil=True)
def normalize(
    text, segments, symbols, symbol_texts, rules, rule_texts, plain, quick, remove, prefix, suffix,
    escape, room, out, origin, lasts, ends, progress,
):
    """The segments (n, 2) of `text` into `out`, the k-th up to ends[k].

    `origin` gets where that begins in `text` which each new byte was made of, unless it is empty;
    then `lasts` gets where each segment ends without the spaces taken off, -1 if nothing is left.

    `progress` is (segment, bytes written), to go on from. Returns False when `out` has no room for
    `room` more bytes. plain[b]: no rule concerns the ASCII byte b before another one; quick: it is
    so for all visible ones.
    """
    n = progress[1]
    for s in range(progress[0], segments.shape[0]):
        i, stop, begin = segments[s, 0], segments[s, 1], n
        while remove and i < stop:
            length, table, value = chunk(text, i, stop, symbols, rules)
            if table == 0 and not is_one_space(symbol_texts, value):
                break
            if table == 1 and not is_one_space(rule_texts, value):
                break
            if table == 2 and text[i] != 32:
                break
            i += max(length, 1)  # of a space
        if n + room > out.size:
            progress[0], progress[1] = s, begin
            return False
        after, empty = remove, i == stop
        if prefix and not empty:
            n = put_space(out, n, escape)
            note(origin, begin, n, i, 0)
        while i < stop:
            if n + room > out.size:
                progress[0], progress[1] = s, begin
                return False
            byte = text[i]
            if quick and 32 < byte < 128 and i + 32 <= text.size:
                run = visible_run(text, i, stop)
                if run > 0:
                    copy32(out, n, text, i)
                    note(origin, n, n + run, i, 1)
                    i, n, after = i + run, n + run, False
                    continue
            if byte < 128 and plain[byte] and (i + 1 == stop or text[i + 1] < 128):
                here = n
                if byte != 32:
                    out[n] = byte
                    n += 1
                    after = False
                elif not after:
                    n = put_space(out, n, escape)
                    after = remove
                note(origin, here, n, i, 0)
                i += 1
                continue
            length, table, value = chunk(text, i, stop, symbols, rules)
            here, before = n, after
            if table == 0:
                n, after = put(symbol_texts, value, out, n, escape, after)
            elif table == 1:
                n, after = put(rule_texts, value, out, n, escape, after)
            else:
                length = character_width(byte)
                n, after = put_character(text, i, out, n, escape, after)
            after = before if n == here else after and remove
            note(origin, here, n, i, 0)
            i += length
        full = n
        if remove:
            n = without_spaces(out, begin, n, escape)
        if origin.size:
            lasts[s] = stop if n == full else origin[n] if n > begin else -1
        if suffix and not empty:
            full = n
            n = put_space(out, n, escape)
            note(origin, full, n, lasts[s] if origin.size else 0, 0)
        ends[s] = n
    progress[0], progress[1] = segments.shape[0], n
    return True
