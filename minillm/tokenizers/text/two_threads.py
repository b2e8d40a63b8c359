"""Giving half of a large piece of work to a second thread; kernels let go of Python's lock."""

import numpy as np

from ... import threads

ENOUGH = 1 << 18  # bytes of text that are worth a second thread
LOOK = 1 << 16  # bytes in which a line must end for a segment to be cut there


def halves(data: np.ndarray, segments: np.ndarray, lines: bool) -> tuple[list[np.ndarray], bool]:
    """The segments (n, 2) in one or two lists of about equal length in bytes.

    With `lines` a segment may be cut where one of its lines ends; the second value says whether
    one was, so that the first list ends with its first part and the second begins with the rest.
    """
    done = np.cumsum(segments[:, 1] - segments[:, 0])
    if len(segments) == 0 or done[-1] < 2 * ENOUGH or threads.count() < 2:
        return [segments], False
    middle = int(np.searchsorted(done, done[-1] // 2))
    start, stop = segments[middle].tolist()
    if lines and stop - start > ENOUGH:
        place = line_start(data, start + max(0, int(done[-1] // 2 - (done[middle] - stop + start))))
        if start < place < stop:
            rest = np.concatenate([[[place, stop]], segments[middle + 1 :]])
            return [np.concatenate([segments[:middle], [[start, place]]]), rest], True
    if 0 < middle + 1 < len(segments):
        return [segments[: middle + 1], segments[middle + 1 :]], False
    return [segments], False


def line_start(data: np.ndarray, place: int) -> int:
    """The first place after `place` where a line begins, or -1 if there is none near."""
    near = data[place : place + LOOK] == 10
    ends = np.flatnonzero(near[:-1] & ~near[1:])
    return place + int(ends[0]) + 1 if len(ends) else -1
