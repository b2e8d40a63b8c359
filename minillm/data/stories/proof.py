"""A proof, by search, that a grammar is unambiguous: no story has two derivations.

Induction over the sentences of a story. Suppose the text so far fixes the state of the derivation
(steps to come, bindings). The next sentence to appear is one of the state's *openings*: any
sentence of the next step, or of a later one if those between may be left out. If no opening's
text, under any values, equals or begins another derivation's (another opening, or the same with
other values), then the text that follows fixes the opening and its values, hence the next state.
``ambiguities`` searches all pairs of openings of all states for a pair that breaks this.
"""

from __future__ import annotations

from collections.abc import Iterator

from minillm.data.stories.grammar import Grammar
from minillm.data.stories.reading import Mention, Template

Values = tuple[tuple[str, int], ...]  # slot, index of its value


def ambiguities(grammar: Grammar) -> list[tuple[Template, Template]]:
    """Pairs of openings that some text could be both of; empty if the grammar is unambiguous."""
    pairs: dict[tuple[Template, Template, frozenset[str]], None] = {}
    starts = [(plot, frozenset[str]()) for plot in grammar.plots]
    first = [choice for steps, _ in starts for choice in grammar.steps[steps[0]]]
    if len(set(first)) < len(first):
        doubled = next(choice for choice in first if first.count(choice) > 1)
        return [(doubled, doubled)]
    groups = [(first, frozenset[str]())]
    groups += [(openings(grammar, steps), bound) for steps, bound in grammar.visits]
    for choices, bound in groups:
        for i, one in enumerate(choices):
            for other in choices[i:]:
                mentioned = {p[0] for p in (*one, *other) if not isinstance(p, str)}
                pairs[one, other, bound & mentioned] = None
    return [(one, other) for one, other, bound in pairs if collide(grammar, one, other, bound)]


def openings(grammar: Grammar, steps: tuple[str, ...]) -> list[Template]:
    """The sentences that can come next in a state (a sentence twice if by two ways)."""
    found: list[Template] = []
    for step in steps:
        found += [choice for choice in grammar.steps[step] if choice]
        if () not in grammar.steps[step]:
            break
    return found


def collide(grammar: Grammar, one: Template, other: Template, bound: frozenset[str]) -> bool:
    """Whether two different derivations can write texts of which one begins the other.

    The slots ``bound`` have the same values on both sides; the others are chosen on each side.
    A search over pairs of positions, where only the surplus text of the longer side is kept.
    """
    stack: list[tuple[Template, Template, str, int, Values, Values]]
    stack = [(one, other, "", 0, (), ())]  # surplus > "" belongs to side `ahead`
    done = set()
    while stack:
        state = stack.pop()
        if state in done:
            continue
        done.add(state)
        left, right, surplus, ahead, mine, theirs = state
        rest, values = (left, mine) if ahead else (right, theirs)  # the side that must catch up
        if not surplus and not left and not right:
            if one is not other or mine != theirs:
                return True
            continue
        if not rest:
            if not surplus and (left or right):  # one side is finished, the other goes on
                side = 1 - ahead
                rest, values, ahead = (left, mine, 1) if ahead == 0 else (right, theirs, 0)
                assert rest and side == ahead
            else:
                return True
            return True
        for string, new in continuations(grammar, rest[0], values, bound, mine, theirs):
            size = min(len(string), len(surplus))
            if string[:size] != surplus[:size]:
                continue
            longer = len(string) > len(surplus)
            over = string[size:] if longer else surplus[size:]
            now_ahead = (0 if ahead else 1) if longer else ahead
            now_mine, now_theirs = (new, theirs) if ahead else (mine, new)
            lefts, rights = (rest[1:], right) if ahead else (left, rest[1:])
            stack.append((lefts, rights, over, now_ahead, now_mine, now_theirs))
    return False


def continuations(
    grammar: Grammar, piece: str | Mention, values: Values, bound: frozenset[str],
    mine: Values, theirs: Values,
) -> Iterator[tuple[str, Values]]:
    """What a piece can write, with the values chosen on its side afterwards."""
    if isinstance(piece, str):
        yield piece, values
        return
    slot, form = piece
    known = dict(values)
    if slot in bound:  # one value for both sides, chosen when either first needs it
        known = dict(theirs) | dict(mine) | known if slot not in known else known
        known = {s: v for s, v in known.items() if s == slot or s in dict(values)}
    options = grammar.lists[grammar.slots[slot]]
    for index in [known[slot]] if slot in known else range(len(options)):
        new = dict(values) | {slot: index}
        yield options[index][form], tuple(sorted(new.items()))
