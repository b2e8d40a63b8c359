"""Cutting many texts at once: which pre-tokenizers can, and how.

A cutter is a function ``(data, segments) -> (spans, counts)``: the pieces (n, 2) of every segment
(s, 2) of UTF-8 bytes, in order, and how many each has. The definition is the stage's own ``cut``.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..patterns.automaton import Automaton, NoAutomatonError, automaton_of
from .behaviors import Cut
from .in_turn import CutInTurn, flat
from .split_rules import Split

Cutter = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
ROOM = 4  # bytes that a piece is expected to have at least; with fewer, more room is made


def cutter_of(stage: Any) -> Cutter:
    """The cutter of a pre-tokenizer; raises a NoAutomatonError that says why there is none."""
    if stage is None:
        return whole
    if isinstance(stage, CutInTurn):
        return partial(in_turn, [cutter_of(step) for step in flat(stage.steps)])
    if isinstance(stage, Split | Cut):
        automaton = automaton_of(stage.pattern, stage.dialect)
        return partial(by_automaton, stage, automaton, *settings_of(stage))
    raise NoAutomatonError(f"{type(stage).__name__} cuts text by text")


def settings_of(stage: Split | Cut) -> tuple[bool, bool, bool, int]:
    """(are matches pieces, is what lies between them, is that refused, which parts are joined)."""
    from .automaton_kernel import APART, CONTIGUOUS, NEXT, PREVIOUS

    if isinstance(stage, Split):
        return True, stage.gaps == "keep", stage.gaps == "refuse", APART
    removed = stage.behavior == "Removed"
    joining = {"Contiguous": CONTIGUOUS, "MergedWithPrevious": PREVIOUS, "MergedWithNext": NEXT}
    if stage.invert:  # what matches and what does not have changed their parts
        turned = {PREVIOUS: NEXT, NEXT: PREVIOUS}
        kind = joining.get(stage.behavior, APART)
        return True, not removed, False, turned.get(kind, kind)
    return not removed, True, False, joining.get(stage.behavior, APART)


def whole(data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each segment is one piece; an empty one has none."""
    full = segments[:, 1] > segments[:, 0]
    return segments[full], full.astype(np.int64)


def in_turn(
    cutters: list[Cutter], data: np.ndarray, segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each cutter cuts the pieces of the one before."""
    spans, counts = whole(data, segments)
    for cutter in cutters:
        spans, finer = cutter(data, spans)
        ends = np.concatenate([[0], np.cumsum(finer)])[np.cumsum(counts)]
        counts = np.diff(ends, prepend=0)
    return spans, counts


def by_automaton(
    stage: Split | Cut, automaton: Automaton, matches: bool, gaps: bool, refuse: bool,
    joining: int, data: np.ndarray, segments: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The pieces that the table of a pattern makes."""
    from .automaton_kernel import GAP, cut

    segments = np.ascontiguousarray(segments, np.int64)
    counts, progress = np.empty(len(segments), np.int64), np.zeros(2, np.int64)
    spans = np.empty((len(data) // ROOM + 16, 2), np.int64)
    while stopped := cut(data, segments, automaton, matches, gaps, refuse, joining, spans, counts,
                         progress):
        if stopped == GAP:
            start, end = segments[progress[0]].tolist()
            stage(data[start:end].tobytes().decode())  # which raises the error
            raise AssertionError(f"{stage!r} finds no gap where its automaton does")
        spans = np.concatenate([spans, np.empty_like(spans)])
    return spans[: progress[1]], counts
