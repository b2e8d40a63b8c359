"""▁ (U+2581, in UTF-8 E2 96 81), the visible mark of a space: finding it, and putting it in."""

import numpy as np

from .machine_kernel import bytes_between, lean, trailing_zeros
from .pieces_kernel import ONE


@lean(forceinline=True)
def next_space(text, i, stop):
    """Where the next ▁ (E2 96 81) from i on begins, or `stop`."""
    while i + 34 <= text.size and i < stop:
        found = bytes_between(text, i, 0xE2, 1, 0)
        while found:
            at = i + np.int64(trailing_zeros(found))
            if text[at + 1] == 0x96 and text[at + 2] == 0x81:
                return min(at, stop)
            found &= found - ONE
        i += 32
    while i + 2 < stop:
        if text[i] == 0xE2 and text[i + 1] == 0x96 and text[i + 2] == 0x81:
            return i
        i += 1
    return stop


@lean(forceinline=True)
def is_space(text, i, stop):
    """Does ▁ stand at i?"""
    return i + 2 < stop and text[i] == 0xE2 and text[i + 1] == 0x96 and text[i + 2] == 0x81


@lean(forceinline=True)
def starts_with(text, i, stop, mark):
    """Does text[i:stop] begin with these bytes?"""
    same = i + mark.size <= stop
    k = 0
    while same and k < mark.size:
        same = text[i + k] == mark[k]
        k += 1
    return same


@lean(forceinline=True)
def put_mark(mark, origin, out, source, n):
    """Write the mark to out[n:]; all of it comes from byte `origin`."""
    for k in range(mark.size):
        out[n + k] = mark[k]
        if source.size:
            source[n + k] = origin
    return n + mark.size


@lean(cache=True, nogil=True)
def mark_spaces(text, segments, front, mark, out, source, ends):
    """Copy the segments (n, 2) with a mark for each space, and one more before those in `front`.

    `source` gets the byte of `text` that each byte comes from, unless it is empty.
    """
    n = 0
    for s in range(segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if front[s] and i < stop and text[i] != 32 and not starts_with(text, i, stop, mark):
            n = put_mark(mark, i, out, source, n)
        for k in range(i, stop):
            if text[k] == 32:
                n = put_mark(mark, k, out, source, n)
            else:
                out[n] = text[k]
                if source.size:
                    source[n] = k
                n += 1
        ends[s] = n
    return n


@lean(cache=True)
def word_spans(data, lines, joined, spans):
    """Copy the lines (n, 2) with a NUL after each; find their words, which begin at every ▁.

    Returns the number of spans.
    """
    n, found = 0, 0
    for s in range(lines.shape[0]):
        i, stop = lines[s, 0], lines[s, 1]
        begin = n
        for k in range(i, stop):
            joined[n] = data[k]
            if (
                n > begin and data[k] == 0xE2 and k + 2 < stop and data[k + 1] == 0x96
                and data[k + 2] == 0x81
            ):
                spans[found, 0], spans[found, 1] = begin, n
                found += 1
                begin = n
            n += 1
        joined[n] = 0
        n += 1
        if stop > i:
            spans[found, 0], spans[found, 1] = begin, n - 1
            found += 1
    return found
