"""Cutting lines where no piece may reach across: at ▁, between scripts, around characters alone.

Far fewer different words are left than between spaces, and the trainer learns the same from them.
"""

import numpy as np

from ..text.machine_kernel import lean
from ..text.utf8_kernel import character_width, code_point
from .learning_kernel import ALONE, FORBIDDEN, SPACE


@lean(cache=True, nogil=True)
def cut_words(text, lines, kinds, by_space, suffix, together, spans, at):
    """Fill `spans` (n, 2) with words of lines; returns how many. `at` is the line to go on from.

    kinds: class of each code point, as in ``Validity``. by_space: cut before each ▁, or after it
    (`suffix`), or there only at the edges of runs of ▁ (`together`). A line that does not fit into
    the rest of `spans` waits for the next call; no line may be longer than `spans`.
    """
    n = 0
    for s in range(at[0], lines.shape[0]):
        start, stop = lines[s, 0], lines[s, 1]
        if n + stop - start > spans.shape[0]:
            at[0] = s
            return n
        i, before = start, np.int64(0)
        while i < stop:
            width, point = 1, np.int64(text[i])
            if point >= 128:
                width = character_width(text[i])
                point = code_point(text, i, width)
            kind = np.int64(kinds[point])
            if kind != before or kind <= 0:
                cut = bool(kind in (FORBIDDEN, ALONE) or before in (FORBIDDEN, ALONE))
                cut = cut or bool(kind > 0 and before > 0)
                if by_space:
                    here = before == SPACE if suffix else kind == SPACE
                    cut = cut or bool(here and not (together and kind == before))
                if cut and i > start:
                    spans[n, 0], spans[n, 1] = start, i
                    n += 1
                    start = i
                before = kind
            i += width
        if start < stop:
            spans[n, 0], spans[n, 1] = start, stop
            n += 1
    at[0] = lines.shape[0]
    return n
