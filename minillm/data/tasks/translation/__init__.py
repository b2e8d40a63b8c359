"""Translation with known truth: English and Chinese sentences of one shared grammar.

    from minillm.data.tasks import translation
    pair = translation.pair(7)                    # the same seed gives the same pair everywhere
    pair.english, pair.chinese, pair.links        # words, words, which word says which
    translation.translate(pair.english)           # every right translation, by the grammar
    translation.count()                           # how many pairs there are, exactly

A pair belongs to the held-out set if a checksum of its English says so, so that no sentence of one
set is in the other. Only "I" and names begin with a capital letter.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from minillm.data.tasks.held_out import is_held
from minillm.data.tasks.translation.chinese import write_chinese
from minillm.data.tasks.translation.english import write_english
from minillm.data.tasks.translation.inverting import meanings_of
from minillm.data.tasks.translation.meanings import Grammar, Meaning
from minillm.data.tasks.translation.tagged import links

__all__ = ["Grammar", "Meaning", "Pair", "count", "grammar", "is_held", "meanings_of", "pair",
           "pairs", "translate", "write_pair"]


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages. ``links``: (i, j), English word i says what Chinese j says."""

    english: list[str]
    chinese: list[str]
    links: list[tuple[int, int]]


@lru_cache(None)
def grammar() -> Grammar:
    """The stored grammar, read once."""
    return Grammar()


def write_pair(meaning: Meaning, of: Grammar | None = None) -> Pair:
    """Both sentences of a meaning, and their alignment."""
    english, chinese = write_english(of or grammar(), meaning), write_chinese(
        of or grammar(), meaning)
    return Pair([word for word, _ in english], [word for word, _ in chinese],
                links(english, chinese))


def pair(seed: int | random.Random = 0, held: bool = False) -> Pair:
    """A random pair of the training set, or of the held-out one."""
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    while True:
        found = write_pair(grammar().draw(rng))
        if is_held(found.english) == held:
            return found


def pairs(n: int | None, seed: int = 0, held: bool = False) -> Iterator[Pair]:
    """``n`` pairs drawn one after the other (endless if None); short ones may come again."""
    rng = random.Random(seed)
    left = n
    while left is None or left > 0:
        yield pair(rng, held)
        left = None if left is None else left - 1


def translate(english: Sequence[str]) -> set[tuple[str, ...]]:
    """Every Chinese sentence that says what ``english`` says; empty if it is no sentence of ours.

    Words are compared as they are: every meaning whose parts occur in the sentence is written, and
    kept if the sentence comes out.
    """
    return {tuple(word for word, _ in write_chinese(grammar(), meaning))
            for meaning in meanings_of(grammar(), english)}


def count() -> int:
    """The number of different pairs, exactly."""
    return grammar().count()
