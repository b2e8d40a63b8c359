"""A proof, by search, that a grammar is unambiguous: no story has two derivations.

Induction over the sentences of a story. Suppose the text so far fixes the state of the derivation
(steps to come, bindings). The next sentence is one of the state's *openings*: a sentence of the
next step, or of a later one if those between may be left out. If no opening's text equals or
begins the text of another derivation (another opening, or the same one with other values), then
the text that follows fixes the opening and its values, and with them the next state.
``ambiguities`` searches all pairs of openings of all states for one that breaks this.
"""

from __future__ import annotations

from collections.abc import Iterator

from minillm.data.stories.grammar import Grammar
from minillm.data.stories.reading import Mention, Template

Values = dict[tuple[int, str], int]  # (side, slot) -> index of its value; side BOTH is shared
BOTH = 2


def ambiguities(grammar: Grammar) -> list[tuple[Template, Template]]:
    """Pairs of openings some text could begin with both of; empty if all is unambiguous."""
    groups = {tuple(openings(grammar, *grammar.plots)): {frozenset[str]()}}
    for steps, bound in grammar.visits:
        groups.setdefault(tuple(openings(grammar, steps)), set()).add(bound)
    cases = {}
    for choices, bounds in groups.items():
        for i, one in enumerate(choices):
            for other in choices[i:]:
                used = {p[0] for p in (*one, *other) if not isinstance(p, str)}
                for bound in bounds:
                    cases[one, other, one is choices[i] is other, bound & used] = None
            if one in choices[i + 1 :]:
                return [(one, one)]
    return [(case[0], case[1]) for case in cases if collide(grammar, *case)]


def openings(grammar: Grammar, *ways: tuple[str, ...]) -> list[Template]:
    """The sentences that can come next when the steps still to come are one of ``ways``."""
    found: list[Template] = []
    for steps in ways:
        for step in steps:
            found += [choice for choice in grammar.steps[step] if choice]
            if () not in grammar.steps[step]:
                break
    return found


def collide(
    grammar: Grammar, one: Template, other: Template, same: bool, bound: frozenset[str]
) -> bool:
    """Whether two different derivations can write texts of which one begins the other.

    The slots ``bound`` have one value for both sides; the others are chosen on each side. The
    search advances the side that is behind, and keeps only the surplus text of the other.
    """
    start: Values = {}
    stack = [((one, other), "", 0, start)]
    while stack:
        rests, surplus, behind, values = stack.pop()
        if not rests[behind]:
            mine, yours = ({s: v for (i, s), v in values.items() if i == k} for k in (0, 1))
            if surplus or rests[1 - behind] or not same or mine != yours:
                return True
            continue
        for string, now in writings(grammar, rests[behind][0], behind, values, bound):
            size = min(len(string), len(surplus))
            if string[:size] != surplus[:size]:
                continue
            rest = rests[behind][1:]
            pair = (rest, rests[1]) if behind == 0 else (rests[0], rest)
            if len(string) > len(surplus):
                stack.append((pair, string[size:], 1 - behind, now))
            else:
                stack.append((pair, surplus[size:], behind, now))
    return False


def writings(
    grammar: Grammar, piece: str | Mention, side: int, values: Values, bound: frozenset[str]
) -> Iterator[tuple[str, Values]]:
    """What a piece can write, each with the values chosen then."""
    if isinstance(piece, str):
        yield piece, values
        return
    slot, form = piece
    key = (BOTH if slot in bound else side, slot)
    options = grammar.lists[grammar.slots[slot]]
    for index in [values[key]] if key in values else range(len(options)):
        yield options[index][form], {**values, key: index}
