"""Cutting texts with the table of a pattern; the definition is ``Cut.cut`` with its engine."""

import numpy as np

from ..text.machine_kernel import lean
from .scanning_kernel import code_point

APART, CONTIGUOUS, PREVIOUS, NEXT = range(4)  # which neighbouring parts become one piece
FULL, GAP = 1, 2


@lean
def match_end(text, i, n, before, automaton):
    """Where the match at byte i of a text that ends at n ends, or -1.

    before: the class of the character before, as ``Automaton.starts`` wants it.
    """
    table, width, last = automaton.table, automaton.width, -1
    state = np.int64(automaton.starts[before])
    while i < n:
        kind, size = np.int64(text[i]), 1
        if kind >= 128:
            kind, size = code_point(text, i)
        entry = np.int64(table[state * width + automaton.classes[kind]])
        if entry & 1:
            last = i
        state = entry >> 1
        if state == 0:
            return last
        i += size
    return n if table[state * width + width - 1] & 1 else last


@lean
def together(before, now, joining):
    """Is a part (a match or not) one piece with the part before it?"""
    if joining == CONTIGUOUS:
        return before == now
    return (joining == PREVIOUS and now and not before) or (joining == NEXT and before and not now)


@lean(cache=True, nogil=True)
def cut(text, segments, automaton, matches, gaps, refuse, joining, spans, counts, progress):
    """Write the pieces of every segment (n, 2) of `text` into `spans`, and how many it has.

    matches, gaps: are matches of the pattern pieces, and what is between them? refuse: stop at a
    gap. `progress` is (segment, pieces so far). Returns 0 when all is done, FULL when `spans` has
    no room for the segment, GAP at a segment that has one.
    """
    count = progress[1]
    for s in range(progress[0], segments.shape[0]):
        i, n = segments[s, 0], segments[s, 1]
        begin, before, position = count, automaton.width - 1, i
        start, open_match = i, False  # the piece that may still grow is start:position
        while i < n or position < n:
            end, size = np.int64(-1), np.int64(0)
            if i < n:
                end = match_end(text, i, n, before, automaton)
                if end < 0:
                    code, size = code_point(text, i)
                    before = np.int64(automaton.classes[code])
                    i += size
                    if i < n:
                        continue
            for is_match in (False, True):  # what is before the match, and the match
                stop = i if not is_match else end
                if stop <= position:
                    continue
                if refuse and not is_match:
                    progress[0], progress[1] = s, begin
                    return GAP
                if position > start and not together(open_match, is_match, joining):
                    if matches if open_match else gaps:
                        if count == spans.shape[0]:
                            progress[0], progress[1] = s, begin
                            return FULL
                        spans[count, 0], spans[count, 1] = start, position
                        count += 1
                    start = position
                open_match, position = is_match, stop
            if end > i:
                if automaton.behind:
                    last = end - 1
                    while text[last] & 0xC0 == 0x80:
                        last -= 1
                    before = np.int64(automaton.classes[code_point(text, last)[0]])
                i = end
        if position > start and (matches if open_match else gaps):
            if count == spans.shape[0]:
                progress[0], progress[1] = s, begin
                return FULL
            spans[count, 0], spans[count, 1] = start, position
            count += 1
        counts[s] = count - begin
    progress[0], progress[1] = segments.shape[0], count
    return 0
