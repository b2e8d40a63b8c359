"""Cutting many texts at once: which pre-tokenizers can, and how.

A cutter is a function ``(data, segments, opening) -> Cutting`` that cuts every segment (s, 2) of
UTF-8 bytes; opening (s,) tells how many bytes at its start come from the first character of a whole
text, 0 for a part from further behind. The definition is what the stage does with one text.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..patterns.automaton import Automaton, NoAutomatonError, automaton_of
from .behaviors import ANY, Cut, FixedLength, UnicodeScripts, script_table
from .bert import BertSplit, piece_pattern
from .in_turn import CutInTurn, InByteAlphabet, PrefixSpace, flat
from .metaspace import Metaspace
from .rewriting_many import Rewritten, gathered, in_alphabet, with_marks, with_space_in_front
from .split_rules import Characters, Split


class Cutting(NamedTuple):
    """The pieces (n, 2) of segments of `data`, in order, and how many each segment has.

    source: of which byte before each byte of `data` is made, where the texts were rewritten.
    """

    data: np.ndarray
    spans: np.ndarray
    counts: np.ndarray
    source: np.ndarray | None = None


Cutter = Callable[[np.ndarray, np.ndarray, np.ndarray], Cutting]
ROOM = 4  # bytes that a piece is expected to have at least; with fewer, more room is made


def cutter_of(stage: Any) -> Cutter:
    """The cutter of a pre-tokenizer; raises a NoAutomatonError that says why there is none."""
    if stage is None:
        return whole
    if isinstance(stage, CutInTurn):
        return partial(in_turn, [cutter_of(step) for step in flat(stage.steps)])
    if isinstance(stage, BertSplit):
        stage = Split(piece_pattern().pattern)
    if isinstance(stage, Split | Cut):
        automaton = automaton_of(stage.pattern, stage.dialect)
        return partial(by_automaton, stage, automaton, *settings_of(stage))
    if isinstance(stage, FixedLength | Characters):
        return partial(by_length, getattr(stage, "length", 1))
    if isinstance(stage, UnicodeScripts):
        return by_script
    if isinstance(stage, Metaspace):
        mark = f"\\x{{{ord(stage.mark):X}}}"
        rule = Split(f"{mark}[^{mark}]*|[^{mark}]+") if stage.split else None
        return partial(rewritten, partial(marked, stage), cutter_of(rule))
    if isinstance(stage, PrefixSpace | InByteAlphabet):
        change = with_space_in_front if isinstance(stage, PrefixSpace) else in_alphabet
        return partial(rewritten, lambda data, segments, _: change(data, segments), whole)
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


def whole(data: np.ndarray, segments: np.ndarray, opening: np.ndarray) -> Cutting:
    """Each segment is one piece; an empty one has none."""
    full = segments[:, 1] > segments[:, 0]
    return Cutting(data, segments[full], full.astype(np.int64))


def in_turn(
    cutters: list[Cutter], data: np.ndarray, segments: np.ndarray, opening: np.ndarray
) -> Cutting:
    """Each cutter cuts the pieces of the one before."""
    made = whole(data, segments, opening)
    for cutter in cutters:
        at = made.spans[:, 0] if made.source is None else made.source[made.spans[:, 0]]
        first = np.repeat(segments[:, 0] + opening, made.counts)
        finer = cutter(made.data, made.spans, np.maximum(first - at, 0))
        ends = np.concatenate([[0], np.cumsum(finer.counts)])[np.cumsum(made.counts)]
        origins = [found for found in (made.source, finer.source) if found is not None]
        source = origins[0][origins[1]] if len(origins) == 2 else [*origins, None][0]
        made = finer._replace(counts=np.diff(ends, prepend=0), source=source)
    return made


def rewritten(
    change: Callable[..., Rewritten], cutter: Cutter, data: np.ndarray, segments: np.ndarray,
    opening: np.ndarray,
) -> Cutting:
    """What a cutter makes of the texts that `change` makes of the segments."""
    data, segments, source = change(data, segments, opening)
    return cutter(data, segments, opening)._replace(source=source)


def marked(
    stage: Metaspace, data: np.ndarray, segments: np.ndarray, opening: np.ndarray
) -> Rewritten:
    """The segments with marks for spaces, and in front where the scheme asks for one."""
    front = opening > 0 if stage.scheme == "first" else np.full(
        len(segments), stage.scheme == "always"
    )
    return with_marks(data, segments, front, stage.mark)


def by_automaton(
    stage: Split | Cut, automaton: Automaton, matches: bool, gaps: bool, refuse: bool,
    joining: int, data: np.ndarray, segments: np.ndarray, opening: np.ndarray,
) -> Cutting:
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
    return Cutting(data, spans[: progress[1]], counts)


def by_length(
    length: int, data: np.ndarray, segments: np.ndarray, opening: np.ndarray
) -> Cutting:
    """Pieces of so many characters; the last one of a segment may be shorter."""
    places = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
    first, last = np.searchsorted(places, segments).T  # characters
    counts = -(-(last - first) // length)
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.repeat(first, counts) + length * within
    ends = np.minimum(starts + length, np.repeat(last, counts))
    return Cutting(data, np.stack([places[starts], places[ends]], 1), counts)


def by_script(data: np.ndarray, segments: np.ndarray, opening: np.ndarray) -> Cutting:
    """Pieces that end where the script changes; what all scripts share at the front is left out."""
    places = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
    points = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
    scripts = script_table()[points].astype(np.int64)
    characters = np.searchsorted(places, segments)
    owner = np.repeat(np.arange(len(segments)), characters[:, 1] - characters[:, 0])
    inside = gathered(characters)
    kept = scripts[inside] != ANY
    owner, inside = owner[kept], inside[kept]
    new = np.diff(scripts[inside], prepend=-1) != 0
    new |= np.diff(owner, prepend=-1) != 0
    owner, starts = owner[new], places[inside[new]]
    ends = np.roll(starts, -1)
    last = np.diff(owner, append=len(segments)) != 0
    ends[last] = segments[owner[last], 1]
    counts = np.bincount(owner, minlength=len(segments))
    return Cutting(data, np.stack([starts, ends], 1), counts)
