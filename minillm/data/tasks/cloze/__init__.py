"""Cloze with known truth: sentences in which the grammar determines one word.

    from minillm.data.tasks import cloze
    c = cloze.sample(7, "zh")
    c.words, c.position, c.answer       # the whole sentence; words[position] is the answer
    cloze.vocabulary("zh")              # every word that may occur

English kinds: agreement in number and tense across a second noun, antonym, name, container.
Chinese: measure word, antonym, name, function word (了, 过, 的 or 会 of 会不会). No other word of
the vocabulary makes a sentence of the grammar at that position; what stands around it decides.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from minillm.data.tasks.cloze.writing import KINDS
from minillm.data.tasks.held_out import is_held

__all__ = ["Cloze", "is_held", "kinds", "sample", "samples", "sentences", "vocabulary"]



@dataclass(frozen=True)
class Cloze:
    """``words[position] == answer``, and nothing else fits there."""

    words: tuple[str, ...]
    position: int
    answer: str
    kind: str


def _kinds_of(language: str) -> dict:
    if language not in KINDS:
        raise ValueError(f"language is {language!r}: expected one of {sorted(KINDS)}")
    return KINDS[language]


def kinds(language: str = "en") -> list[str]:
    """The names of the kinds of sentences."""
    return list(_kinds_of(language))


def _write(language: str, kind: str, choice: tuple) -> Cloze:
    text, answer = _kinds_of(language)[kind].write(*choice)
    words = text.split()
    position = words.index("_")
    return Cloze((*words[:position], answer, *words[position + 1:]), position, answer, kind)


def sample(
    seed: int | random.Random = 0, language: str = "en", held: bool = False, kind: str | None = None
) -> Cloze:
    """A random sentence of the training set or the held-out one, of any kind or of one."""
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    if kind is not None and kind not in kinds(language):
        raise ValueError(f"kind is {kind!r}: expected one of {kinds(language)}")
    while True:
        name = kind or rng.choice(kinds(language))
        choice = tuple(rng.choice(options) for options in _kinds_of(language)[name].lists)
        found = _write(language, name, choice)
        if is_held(found.words) == held:
            return found


def samples(n: int, seed: int = 0, language: str = "en", held: bool = False) -> Iterator[Cloze]:
    """``n`` sentences drawn one after the other; a sentence may come again."""
    rng = random.Random(seed)
    for _ in range(n):
        yield sample(rng, language, held)


def sentences(language: str = "en") -> Iterator[Cloze]:
    """Every sentence of the grammar, once for each choice that gives it."""
    for kind in kinds(language):
        for choice in itertools.product(*_kinds_of(language)[kind].lists):
            yield _write(language, kind, choice)


@lru_cache(None)
def vocabulary(language: str = "en") -> tuple[str, ...]:
    """Every word of the grammar, sorted."""
    return tuple(sorted({word for cloze in sentences(language) for word in cloze.words}))
