"""What a sentence of the translation task means: who does what, where, when, how; and what may be.

A meaning is a frame (mood, aspect, polarity, action) and one choice for each of its free parts.
The parts of a frame are chosen independently, except that the manner depends on the object; so the
number of meanings is a sum over frames of products, and ``Grammar.count`` is exact.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MOODS = {"statement": 0.5, "whether": 0.17, "who": 0.11, "what": 0.11, "where": 0.11}
ASPECTS = ("past", "future", "habit", "progressive", "experience")
DEMONSTRATIVES = ("this", "that", "these", "those")
NEGATED_HABITS = ("often", "on Sundays", "on weekends")  # 每天不… would mean something else
CLAUSE, PLACE, MANNER = 0.15, 0.6, 0.25  # how often a sentence has one of these


@dataclass(frozen=True)
class Clause:
    """A relative clause. ``kind`` like, can, live: of a person; made: "that my mother bought"."""

    kind: str
    action: int = -1
    noun: str = ""
    place: str = ""
    agent: str = ""
    time: str = ""


@dataclass(frozen=True)
class Phrase:
    """A noun phrase. Known people and the objects of fixed phrases have no determiner."""

    noun: str
    determiner: str = ""
    plural: bool = False
    clause: Clause | None = None


@dataclass(frozen=True)
class Frame:
    mood: str
    aspect: str
    negative: bool
    action: int

    @property
    def asserts(self) -> bool:
        """A positive statement, or what: there 一本书 stands, elsewhere 书 alone is said."""
        return self.mood in ("statement", "what") and not self.negative


@dataclass(frozen=True)
class Meaning:
    frame: Frame
    agent: Phrase
    item: Phrase | None  # the object; None where it is asked for
    place: str
    time: str
    manner: str


class Grammar:
    """The meanings over a lexicon: all of them (``meanings``), their number, a random one."""

    def __init__(self, lexicon: dict[str, Any] | None = None) -> None:
        path = Path(__file__).parent / "lexicon.json"
        self.lexicon = lexicon or json.loads(path.read_text(encoding="utf-8"))
        self.actions: list[dict[str, Any]] = self.lexicon["actions"]
        self.nouns: dict[str, dict[str, Any]] = self.lexicon["nouns"]
        self.chinese_time = {en: zh for rows in self.lexicon["times"].values() for en, zh in rows}
        self.frames = [frame for mood in MOODS for action in range(len(self.actions))
                       for frame in self._frames(mood, action)]
        self.made = cache(self._made)
        self.described = self._described()

    def flag(self, action: int, name: str) -> bool:
        return name in self.actions[action]["flags"]

    def _frames(self, mood: str, action: int) -> Iterator[Frame]:
        if mood == "what" and not self.flag(action, "what"):
            return
        for aspect in self.actions[action].get("aspects", ASPECTS):
            if mood == "where" and aspect == "experience":
                continue
            for negative in (False, True) if mood == "statement" else (False,):
                yield Frame(mood, aspect, negative, action)

    # -- the parts --------------------------------------------------------------------------------

    def known(self, frame: Frame) -> list[Phrase]:
        """Who may do it, without relative clause; nobody asks what he himself does."""
        if frame.mood == "who":
            return [Phrase("who")]
        known = [Phrase(name) for name in self.lexicon["known"]
                 if name != "I" or frame.mood == "statement"]
        return known + [Phrase(noun, determiner, plural) for noun in self.lexicon["people"]
                        for determiner, plural in (("the", False), ("the", True), ("this", False),
                                                   ("that", False), ("these", True),
                                                   ("those", True))]

    def _described(self) -> list[Phrase]:
        """The people with a relative clause: the child who likes drinking tea."""
        clauses = [Clause("live", place=place) for place in self.lexicon["cities"]]
        for i, action in enumerate(self.actions):
            for kind, flag in (("like", "liked"), ("can", "skill")):
                if self.flag(i, flag):
                    nouns = action.get("objects", [""])
                    clauses += [Clause(kind, action=i, noun=noun) for noun in nouns]
        return [Phrase(noun, "the", plural, clause) for noun in self.lexicon["people"]
                for plural in (False, True) for clause in clauses]

    def agents(self, frame: Frame) -> list[Phrase]:
        return self.known(frame) + ([] if frame.mood == "who" else self.described)

    def plain_items(self, frame: Frame) -> list[Phrase | None]:
        """The objects without relative clause."""
        action = self.actions[frame.action]
        if frame.mood == "what":
            return [None]
        if "fixed" in action:
            return [Phrase("")]
        return [Phrase(noun, determiner, determiner in ("", "two", "three", "these", "those"))
                for noun in action["objects"] for determiner in self._determiners(frame, noun)]

    def _determiners(self, frame: Frame, noun: str) -> list[str]:
        portion = "portion" in self.nouns[noun]
        definite = self._definite(frame)
        found = []
        if portion or frame.aspect in ("habit", "experience"):
            found.append("")
        if frame.asserts if portion else not (frame.aspect == "habit" and frame.negative):
            found.append("a")
        if not frame.negative and frame.mood != "where" and frame.aspect != "progressive":
            found += ["two", "three"]
        if definite:
            found += DEMONSTRATIVES[:2] if portion else DEMONSTRATIVES
            if self.flag(frame.action, "owned") and not portion:
                found += ["my", "his", "her"]
        return found

    def _definite(self, frame: Frame) -> bool:
        """What is made or used up is made or used up once: not every day, and not 过."""
        once = self.flag(frame.action, "creates") or self.flag(frame.action, "consumes")
        return not (once and frame.aspect in ("habit", "experience"))

    def _made(self, action: int) -> list[Phrase]:
        """The objects with a relative clause: the book that my mother bought yesterday.

        Nobody draws a horse that somebody bought: what is being made was not there before.
        """
        here = self.actions[action]
        if self.flag(action, "creates"):
            return []
        return [Phrase(noun, "the", plural, Clause("made", i, noun, agent=agent, time=time))
                for noun in here.get("objects", ()) if "portion" not in self.nouns[noun]
                for plural in (False, True)
                for i, other in enumerate(self.actions)
                if noun in other.get("objects", ()) and self.flag(i, "leaves")
                and other["en"] != here["en"]
                for agent in self.lexicon["known"]
                for time in ("", *(en for en, _ in self.lexicon["times"]["past"]))]

    def made_items(self, frame: Frame) -> list[Phrase]:
        allowed = (frame.mood not in ("what", "where") and frame.aspect != "experience"
                   and self._definite(frame))
        return self.made(frame.action) if allowed else []

    def items(self, frame: Frame) -> list[Phrase | None]:
        return self.plain_items(frame) + list(self.made_items(frame))

    def times(self, frame: Frame) -> list[str]:
        rows = [en for en, _ in self.lexicon["times"][frame.aspect]]
        if frame.aspect == "habit":
            return ["", *(t for t in rows if t in NEGATED_HABITS)] if frame.negative else rows
        if frame.aspect == "progressive":
            return rows if frame.mood == "where" else ["", *rows]
        return [""] if frame.aspect == "experience" and frame.negative else rows

    def places(self, frame: Frame) -> list[str]:
        return [""] if frame.mood == "where" else ["", *self.actions[frame.action]["places"]]

    def manners(self, frame: Frame, item: Phrase | None) -> list[str]:
        """Positive statements only, and not 昨天开心地踢足球了, where 了 would end the sentence."""
        ends = frame.aspect == "past" and item is not None and not item.determiner
        if frame.mood != "statement" or frame.negative or ends or frame.aspect == "experience":
            return [""]
        return ["", *self.actions[frame.action]["manners"]]

    # -- together ---------------------------------------------------------------------------------

    def count(self) -> int:
        """How many meanings there are; no two of them give the same pair of sentences."""
        return sum(
            len(self.agents(frame)) * len(self.times(frame)) * len(self.places(frame))
            * sum(len(self.manners(frame, item)) for item in self.items(frame))
            for frame in self.frames
        )

    def meanings(self) -> Iterator[Meaning]:
        """Every meaning; for small lexicons."""
        for frame in self.frames:
            for item in self.items(frame):
                for manner in self.manners(frame, item):
                    for agent in self.agents(frame):
                        for place in self.places(frame):
                            for time in self.times(frame):
                                yield Meaning(frame, agent, item, place, time, manner)

    def draw(self, rng: random.Random) -> Meaning:
        """A random meaning: not uniform, for nearly all meanings have two relative clauses."""
        mood = rng.choices(list(MOODS), list(MOODS.values()))[0]
        frames: list[Frame] = []
        while not frames:
            frames = list(self._frames(mood, rng.randrange(len(self.actions))))
        frame = rng.choice(frames)
        described = self.described if frame.mood != "who" and rng.random() < CLAUSE else []
        agent = rng.choice(described or self.known(frame))
        made = self.made_items(frame) if rng.random() < CLAUSE else []
        item = rng.choice(made or self.plain_items(frame))
        place = rng.choice(self.places(frame)[1:] or [""]) if rng.random() < PLACE else ""
        manners = self.manners(frame, item)
        manner = rng.choice(manners[1:] or [""]) if rng.random() < MANNER else ""
        return Meaning(frame, agent, item, place, rng.choice(self.times(frame)), manner)
