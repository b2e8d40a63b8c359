"""A pattern as a table: an automaton that reads one character a step and never goes back.

A regular expression engine tries one alternative after another, and starts again from the same
place for the next. The automaton follows all of them at once. Its state is the list of the places
in the pattern where a match could be by now, the preferred ones first; a list that ends with a
finished match needs nothing behind it. There are few different lists, so each gets a number, and
``table[state, class of the next character]`` tells the next one. Source: Cox (2010), "Regular
Expression Matching in the Wild"; the delay of a match by one character, with which a look at the
next one costs nothing, is that of RE2.

What needs more than the characters before and behind a place (longer looks, atomic groups of more
than one repeated set) has no automaton here.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from ..text.unicode_classes import LAST, Ranges
from .named_rules import tree_of
from .tree import Atomic, Chain, Chars, Choice, Edge, Look, Node, Repeat, can_be_empty

LARGEST = 4000  # instructions, or states
DEAD = 0  # the state with no place in it
State = tuple[int, tuple[int, ...]]  # what looks behind tell, and the places in the pattern


class NoAutomatonError(ValueError):
    """The pattern asks for what a table cannot tell; the message says what."""


class Automaton(NamedTuple):
    """classes (0x110000,) uint8: the class of each code point. table: (states * width,) int32,
    where ``entry >> 1`` is the next state, and an odd entry says that a match ends before this
    character. The last of the `width` columns is the end of the text. starts (width,) int32: the
    first state, by the class of the character before; its last entry: at the start of the text.
    behind: does it depend on that?
    """

    classes: np.ndarray
    table: np.ndarray
    starts: np.ndarray
    width: int
    behind: bool


class Step(NamedTuple):
    """An instruction: ``char`` reads one of a set of classes, ``ahead`` and ``behind`` look for
    one, ``fork`` goes on at each of `nexts`, the preferred first, ``match`` is the end."""

    kind: str
    members: frozenset[int] = frozenset()
    nexts: tuple[int, ...] = ()


def automaton_of(pattern: str, dialect: str = "fancy") -> Automaton:
    """The automaton of a named rule or a pattern; raises a NoAutomatonError if there is none."""
    found = automaton_or_reason(pattern, dialect)
    if isinstance(found, str):
        raise NoAutomatonError(found)
    return found


@cache
def automaton_or_reason(pattern: str, dialect: str) -> Automaton | str:
    """The automaton, or why there is none: that, too, is found out once and not at every text."""
    try:
        return compiled_automaton(pattern, dialect)
    except NoAutomatonError as error:
        return str(error)


def compiled_automaton(pattern: str, dialect: str) -> Automaton:
    tree = tree_of(pattern, dialect)
    if can_be_empty(tree):
        raise NoAutomatonError("the pattern may match no characters at all")
    sets = list(dict.fromkeys(sets_in(tree)))
    classes, members = partition(sets)
    program = Program(dict(zip(sets, members)), int(classes.max()) + 1)
    start = program.add(tree, program.put(Step("match")))
    return tabulated(program, start, classes)


def sets_in(node: Node) -> Iterator[Ranges]:
    """The sets of characters that a pattern speaks of."""
    if isinstance(node, Chars):
        yield node.ranges
    elif isinstance(node, Chain | Choice):
        for part in node.parts if isinstance(node, Chain) else node.options:
            yield from sets_in(part)
    elif isinstance(node, Repeat | Atomic | Look):
        yield from sets_in(node.part)


def partition(sets: list[Ranges]) -> tuple[np.ndarray, list[frozenset[int]]]:
    """(class of each code point, the classes in each set): equal classes, equal memberships."""
    edges = sorted({0, LAST + 1, *(edge for ranges in sets for first, last in ranges
                                   for edge in (first, last + 1))})
    starts = np.array(edges[:-1])
    inside = np.zeros((len(starts), len(sets)), bool)
    for k, ranges in enumerate(sets):
        for first, last in ranges:
            inside[np.searchsorted(starts, first) : np.searchsorted(starts, last + 1), k] = True
    kinds, which = np.unique(inside, axis=0, return_inverse=True)
    if len(kinds) > 255:
        raise NoAutomatonError("the pattern tells more than 255 classes of characters apart")
    classes = np.repeat(which.ravel().astype(np.uint8), np.diff(edges))
    classes.flags.writeable = False
    return classes, [frozenset(np.flatnonzero(kinds[:, k]).tolist()) for k in range(len(sets))]


class Program:
    """The pattern as instructions. The class `edge` stands for the start and the end of a text."""

    def __init__(self, members: dict[Ranges, frozenset[int]], classes: int) -> None:
        self.steps: list[Step] = []
        self.members, self.edge = members, classes

    def put(self, step: Step) -> int:
        """The place of a new instruction."""
        if len(self.steps) >= LARGEST:
            raise NoAutomatonError(f"the pattern has more than {LARGEST} parts")
        self.steps.append(step)
        return len(self.steps) - 1

    def add(self, node: Node, after: int) -> int:
        """Where the instructions of a node begin that go on at `after`."""
        if isinstance(node, Chars):
            return self.put(Step("char", self.members[node.ranges], (after,)))
        if isinstance(node, Chain):
            for part in reversed(node.parts):
                after = self.add(part, after)
            return after
        if isinstance(node, Choice):
            return self.put(Step("fork", nexts=tuple(self.add(o, after) for o in node.options)))
        if isinstance(node, Repeat):
            return self.repeat(node, after, after)
        if isinstance(node, Atomic):
            return self.atomic(node.part, after)
        return self.look(node, after)

    def repeat(self, node: Repeat, after: int, early: int) -> int:
        """`early`: where to go on if fewer than `most` were read."""
        place = after
        if node.most is None:
            place = self.put(Step("fork"))
            body = self.add(node.part, place)
            self.steps[place] = Step("fork", nexts=self.ordered(node, body, early))
        for _ in range((node.most or node.least) - node.least):
            body = self.add(node.part, place)
            place = self.put(Step("fork", nexts=self.ordered(node, body, early)))
        for _ in range(node.least):
            place = self.add(node.part, place)
        return place

    @staticmethod
    def ordered(node: Repeat, more: int, done: int) -> tuple[int, int]:
        return (done, more) if node.lazy else (more, done)

    def atomic(self, part: Node, after: int) -> int:
        """A repeated set that gives nothing back: it ends only before what is not of the set."""
        if isinstance(part, Chars):
            return self.add(part, after)
        if not isinstance(part, Repeat) or not isinstance(part.part, Chars):
            raise NoAutomatonError("an atomic group holds more than one repeated set")
        if part.lazy:
            return self.add(Repeat(part.part, part.least, part.least), after)
        others = frozenset(range(self.edge + 1)) - self.members[part.part.ranges]
        return self.repeat(part, after, self.put(Step("ahead", others, (after,))))

    def look(self, node: Edge | Look, after: int) -> int:
        """A place that is told by the character before or behind it."""
        if isinstance(node, Edge):
            node = Look(node, ahead=not node.start)
        members = self.seen(node.part, node.ahead)
        if not node.wanted:
            members = frozenset(range(self.edge + 1)) - members
        return self.put(Step("ahead" if node.ahead else "behind", members, (after,)))

    def seen(self, part: Node, ahead: bool) -> frozenset[int]:
        """The classes of a character that a look finds."""
        if isinstance(part, Chars):
            return self.members[part.ranges]
        if isinstance(part, Edge) and part.start != ahead:
            return frozenset([self.edge])
        if isinstance(part, Choice):
            return frozenset().union(*(self.seen(option, ahead) for option in part.options))
        if isinstance(part, Repeat) and part.least == 1:
            return self.seen(part.part, ahead)  # one of them is enough
        raise NoAutomatonError("the pattern looks further than one character")


def tabulated(program: Program, start: int, classes: np.ndarray) -> Automaton:
    """Number the states that can be reached, and write down what follows each."""
    edge, width = program.edge, program.edge + 1
    looks = [step.members for step in program.steps if step.kind == "behind"]
    kinds = [tuple(k in members for members in looks) for k in range(width)]  # all that looks tell
    before = [kinds.index(kind) for kind in kinds]
    states: list[State] = [(0, ())]
    numbers: dict[State, int] = {states[DEAD]: DEAD}

    def number(state: State) -> int:
        if state not in numbers:
            numbers[state] = len(states)
            states.append(state)
        return numbers[state]

    starts = [number((kind, (start,))) for kind in before]
    rows: list[list[int]] = []
    for last, places in states:  # which grow meanwhile
        if len(states) > LARGEST:
            raise NoAutomatonError(f"the pattern has more than {LARGEST} states")
        row = []
        for kind in range(width):
            found, done = followed(program.steps, places, last, kind)
            nexts = tuple(dict.fromkeys(
                program.steps[place].nexts[0] for place in found
                if kind in program.steps[place].members
            )) if kind != edge else ()
            state = (before[kind], nexts) if nexts else states[DEAD]
            row.append(number(state) << 1 | done)
        rows.append(row)
    table = np.array(rows, np.int32).ravel()
    return Automaton(classes, table, np.array(starts, np.int32), width, bool(looks))


def followed(
    steps: list[Step], places: Iterable[int], last: int, coming: int
) -> tuple[list[int], bool]:
    """The places that wait for a character, in order, up to a finished match; was there one?

    last, coming: the classes of the characters before and behind.
    """
    found: list[int] = []
    seen: set[int] = set()
    waiting = list(places)[::-1]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        step = steps[place]
        if step.kind == "match":
            return found, True
        if step.kind == "char":
            found.append(place)
        elif step.kind == "fork" or (coming if step.kind == "ahead" else last) in step.members:
            waiting += step.nexts[::-1]
    return found, False
