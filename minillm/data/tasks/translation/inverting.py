"""From an English sentence back to its meanings: write what may be meant, keep what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minillm.data.tasks.translation.english import (
    write_english,
    write_fixed,
    write_phrase,
    write_place,
    write_time,
)
from minillm.data.tasks.translation.meanings import Grammar, Meaning, Phrase
from minillm.data.tasks.translation.tagged import Tagged, tag


def meanings_of(grammar: Grammar, english: Sequence[str]) -> Iterator[Meaning]:
    """Every meaning whose English is ``english``.

    Each part of a meaning is a row of words that stand together in the sentence (relative clauses
    included), so parts that do not occur in it are left out before anything is combined.
    """
    words = list(english)
    sentence = f" {' '.join(words)} "
    present = set(words)

    def occurs(tagged: Tagged) -> bool:
        return f" {' '.join(word for word, _ in tagged)} " in sentence or not tagged

    def phrase(item: Phrase | None, part: str) -> bool:
        if item is None or not item.noun:
            return True
        if item.clause and item.clause.agent and item.clause.agent.split()[0] not in present:
            return False
        return occurs(write_phrase(grammar, item, part))

    for frame in grammar.frames:
        base = grammar.actions[frame.action]["en"]
        if not present & {base, *grammar.lexicon["verbs"][base]}:
            continue
        fixed = grammar.actions[frame.action].get("fixed")
        if fixed and not occurs(write_fixed(fixed[0], "item")):
            continue
        items = [item for item in grammar.items(frame) if phrase(item, "item")]
        if not items:
            continue
        times = [t for t in grammar.times(frame) if occurs(write_time(grammar, t, "time"))]
        places = [p for p in grammar.places(frame) if occurs(write_place(grammar, p, "place"))]
        agents = [agent for agent in grammar.agents(frame) if phrase(agent, "agent")]
        for item in items:
            manners = [m for m in grammar.manners(frame, item) if occurs(tag(m, "manner"))]
            for agent in agents:
                for time in times:
                    for place in places:
                        for manner in manners:
                            meaning = Meaning(frame, agent, item, place, time, manner)
                            if [w for w, _ in write_english(grammar, meaning)] == words:
                                yield meaning
