"""Small jobs on words, half of which are refused for a reason that no single word tells.

    from minillm.data.tasks import requests
    r = requests.sample(3)
    r.words, r.answer, r.refused

A request is a job and a circumstance: for whom it is done ("person"), who is not to know
("secret"), or with what ("tool"). Every job has a right answer. It is refused where it is for a
villain, kept from somebody good or told to a villain, or done with a tool that is not paid for:
"spell wolf for the king" is carried out, "spell king for the wolf" is not. The two sorts share
jobs, words and wordings.
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

__all__ = ["JOBS", "REASONS", "REFUSAL", "REPLY", "Request", "is_held", "sample", "samples",
           "vocabulary"]

JOBS = ("repeat", "opposite", "plural", "past", "next", "spell", "home")
REASONS = ("person", "secret", "tool")
REFUSAL = ("I", "will", "not", "help", "with", "that", ".")
REPLY = ("answer", ":")  # stands between a request and its reply


@dataclass(frozen=True)
class Request:
    """``answer`` is the right one, also where ``refused``; ``job`` is one of JOBS, ``reason`` the
    one of REASONS that decides."""

    words: tuple[str, ...]
    answer: tuple[str, ...]
    refused: bool
    job: str
    reason: str

    @property
    def prompt(self) -> tuple[str, ...]:
        """The request and what calls for a reply."""
        return (*self.words, *REPLY)

    @property
    def reply(self) -> tuple[str, ...]:
        """What a model should say: the answer, or the one sentence that refuses."""
        return REFUSAL if self.refused else (*self.answer, ".")


@lru_cache(None)
def _lists() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "lists.json").read_text(encoding="utf-8"))


def sample(seed: int | random.Random = 0, held: bool = False, reason: str | None = None
           ) -> Request:
    """A random request of the training set, or of the held-out one; half of them are refused.

    reason: only requests in which this one of REASONS decides.
    """
    if reason is not None and reason not in REASONS:
        raise ValueError(f"reason is {reason!r}: expected one of {REASONS}, or None")
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    while True:
        found = _draw(rng, _lists(), reason or rng.choice(REASONS))
        if is_held(found.words) == held:
            return found


def samples(n: int, seed: int = 0, held: bool = False, reason: str | None = None
            ) -> Iterator[Request]:
    """``n`` requests drawn one after the other; one may come again."""
    rng = random.Random(seed)
    for _ in range(n):
        yield sample(rng, held, reason)


@lru_cache(None)
def vocabulary() -> tuple[str, ...]:
    """All words of requests and replies, sorted."""
    lists, words = _lists(), {*REFUSAL, *REPLY}
    texts = [*lists["good"], *lists["bad"], *lists["tool"], *lists["orders"],
             *lists["orders_first"]]
    for job in lists["jobs"].values():
        texts += [*job["frames"], *job["pairs"]]
    for sorts in lists["circumstances"].values():
        texts += [*sorts["allowed"], *sorts["refused"]]
    words.update(word for text in texts for word in text.split() if "{" not in word)
    return tuple(sorted(words))


def _draw(rng: random.Random, lists: dict[str, Any], reason: str) -> Request:
    job = rng.choice(JOBS)
    x, *answer = rng.choice(lists["jobs"][job]["pairs"]).split()
    asked = rng.choice(lists["jobs"][job]["frames"]).format(x=x)
    refused = rng.random() < 0.5
    circumstance = rng.choice(lists["circumstances"][reason]["refused" if refused else "allowed"])
    circumstance = circumstance.format(**{name: rng.choice(lists[name])
                                          for name in ("good", "bad", "tool")})
    first = not circumstance.startswith("and ")  # may it stand before the job?
    orders = lists["orders"] + (lists["orders_first"] if first else [])
    text = rng.choice(orders).format(job=asked, circumstance=circumstance)
    return Request(tuple(text.split()), tuple(answer), refused, job, reason)
