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


@lean(cache=True, nogil=True)
def mark_spaces(text, segments, front, out, ends):
    """Copy the segments (n, 2) with ▁ for each space, and with `front` one more before each."""
    n = 0
    for s in range(segments.shape[0]):
        i, stop = segments[s, 0], segments[s, 1]
        if front and i < stop and text[i] != 32 and not is_space(text, i, stop):
            out[n], out[n + 1], out[n + 2] = 0xE2, 0x96, 0x81
            n += 3
        for k in range(i, stop):
            if text[k] == 32:
                out[n], out[n + 1], out[n + 2] = 0xE2, 0x96, 0x81
                n += 3
            else:
                out[n] = text[k]
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
