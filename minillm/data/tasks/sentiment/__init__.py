"""Opinions with known sentiment: "not bad" is praise, and what "but" introduces decides.

    from minillm.data.tasks import sentiment
    s = sentiment.sample(7)
    s.words, sentiment.LABELS[s.label]

A sentence has one clause or two. A clause says a good or a bad word of something, or denies it. Two
clauses agree ("and"), or the main one decides: the one after "but", the one "although" does not
introduce. Which words occur says little, for denial and order turn it round.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from minillm.data.tasks.held_out import is_held

__all__ = ["KINDS", "LABELS", "Opinion", "is_held", "sample", "samples"]

LABELS = ("negative", "positive")
KINDS = ("single", "contrast", "addition")
KIND_WEIGHTS = (0.4, 0.4, 0.2)
DENIED = 0.4  # how often a clause denies the opposite


@dataclass(frozen=True)
class Opinion:
    """``label`` indexes LABELS; ``kind`` is one of KINDS; ``denials`` counts the denied clauses."""

    words: tuple[str, ...]
    label: int
    kind: str
    denials: int


@lru_cache(None)
def _lists() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "lists.json").read_text(encoding="utf-8"))


def sample(seed: int | random.Random = 0, language: str = "en", held: bool = False) -> Opinion:
    """A random opinion of the training set, or of the held-out one; both labels equally likely."""
    if language not in _lists():
        raise ValueError(f"language is {language!r}: expected one of {sorted(_lists())}")
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    while True:
        found = _draw(rng, _lists()[language])
        if is_held(found.words) == held:
            return found


def samples(n: int, seed: int = 0, language: str = "en", held: bool = False) -> Iterator[Opinion]:
    """``n`` opinions drawn one after the other; one may come again."""
    rng = random.Random(seed)
    for _ in range(n):
        yield sample(rng, language, held)


def _draw(rng: random.Random, lists: dict[str, Any]) -> Opinion:
    label = rng.randrange(2)
    kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
    group = rng.choice(lists["groups"])
    subjects = rng.sample(group["subjects"], 2)
    if kind == "single":
        text, denials = _clause(rng, lists, group, subjects[0], label)
        return Opinion(tuple(lists["single"].format(x=text).split()), label, kind, denials)
    frame, main = rng.choice(lists["contrast"]) if kind == "contrast" else (
        rng.choice(lists["addition"]), 0)
    signs = [label, label]
    if kind == "contrast":
        signs[1 - main] = 1 - label
    (x, first), (y, second) = (_clause(rng, lists, group, subject, sign)
                               for subject, sign in zip(subjects, signs))
    return Opinion(tuple(frame.format(x=x, y=y).split()), label, kind, first + second)


def _clause(
    rng: random.Random, lists: dict[str, Any], group: dict[str, list[str]], subject: str, sign: int
) -> tuple[str, int]:
    """A clause that praises (sign 1) or blames, and whether it does so by denying the opposite."""
    denied = rng.random() < DENIED
    word = rng.choice(group[LABELS[sign ^ denied]])
    frame = rng.choice(lists["denied" if denied else "plain"])
    return frame.format(s=subject, a=word), int(denied)
