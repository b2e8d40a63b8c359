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
from functools import lru_cache
from itertools import pairwise

from minillm.data.stories.reading import Mention, Template
from minillm.data.stories.story_grammar import Grammar

# (side, slot) -> identities of the entries that agree with what was written; side BOTH is shared
Values = dict[tuple[int, str], frozenset[int]]
BOTH = 2


def ambiguities(grammar: Grammar) -> list[tuple[Template, Template]]:
    """Pairs of openings some text could begin with both of; empty if all is unambiguous."""
    groups = {tuple(openings(grammar, *grammar.plots)): {frozenset[str]()}}
    for steps, bound in grammar.visits:
        groups.setdefault(tuple(openings(grammar, steps)), set()).add(bound)
    cases: dict[tuple[Template, Template, bool, frozenset[str]], None] = {}
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
    search advances the side that is behind, and keeps only the surplus text of the other. Where
    both are level, a value chosen alike on both sides is forgotten: any shared value will do.
    """
    start: Values = {}
    stack = [((one, other), "", 0, start, bound)]
    done = set()
    while stack:
        rests, surplus, behind, values, shared = stack.pop()
        if not surplus:
            alike = {
                slot
                for (side, slot), v in values.items()
                if side == BOTH or (len(v) == 1 and values.get((1 - side, slot)) == v)
            }
            values = {key: v for key, v in values.items() if key[1] not in alike}
            shared |= alike
            while all(rests) and rests[0][0] == rests[1][0]:
                if not isinstance(piece := rests[0][0], str) and piece[0] not in shared:
                    if any(s == piece[0] for _, s in values) or not prefix_free(grammar, *piece):
                        break
                    shared |= {piece[0]}  # equal texts here mean equal values
                rests = (rests[0][1:], rests[1][1:])
        state = (rests, surplus, behind, tuple(sorted(values.items())), shared)
        if state in done:
            continue
        done.add(state)
        if not rests[behind]:
            if surplus or rests[1 - behind] or not same or values:
                return True
            continue
        for string, now in writings(grammar, rests[behind][0], behind, surplus, values, shared):
            size = min(len(string), len(surplus))
            if string[:size] != surplus[:size]:
                continue
            rest = rests[behind][1:]
            pair = (rest, rests[1]) if behind == 0 else (rests[0], rest)
            if len(string) > len(surplus):
                stack.append((pair, string[size:], 1 - behind, now, shared))
            else:
                stack.append((pair, surplus[size:], behind, now, shared))
    return False


@lru_cache(None)
def prefix_free(grammar: Grammar, slot: str, form: str) -> bool:
    """Whether no value of ``slot`` in this form equals or begins another."""
    texts = sorted(entry[form] for entry in grammar.lists[grammar.slots[slot]])
    return not any(later.startswith(text) for text, later in pairwise(texts))


def writings(
    grammar: Grammar,
    piece: str | Mention,
    side: int,
    surplus: str,
    values: Values,
    bound: frozenset[str],
) -> Iterator[tuple[str, Values]]:
    """What a piece can write that may agree with ``surplus``, and the values chosen then."""
    if isinstance(piece, str):
        yield piece, values
        return
    slot, form = piece
    key = (BOTH if slot in bound else side, slot)
    source = grammar.slots[slot]
    options = grammar.lists[source]
    if surplus:
        options = grammar.first_letter[source, form].get(surplus[0], [])
    texts: dict[str, set[int]] = {}
    for entry in options:
        if key not in values or id(entry) in values[key]:
            texts.setdefault(entry[form], set()).add(id(entry))
    for text, possible in texts.items():
        yield text, {**values, key: frozenset(possible)}
