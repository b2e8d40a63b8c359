"""A hidden Markov model of word formation: each character begins, continues, ends or is a word.

``Hmm.tags`` is the definition (Viterbi); the order of ties is jieba's.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..backends import active_backend
from ..tokenizers.formats.untrusted import BrokenFileError, read_text

STATES = "BEMS"  # begin, end, middle, single
BEFORE = {"B": "ES", "M": "BM", "S": "ES", "E": "BM"}
NEVER = -3.14e100


def word_tags(word: str) -> str:
    """The tags of a word's characters.

    >>> [word_tags(word) for word in ("我", "北京", "天安门")]
    ['S', 'BE', 'BME']
    """
    return "S" if len(word) == 1 else "B" + "M" * (len(word) - 2) + "E"


def words_of(text: str, tags: Sequence[str]) -> list[str]:
    """The words that tags mark: each ends where a tag is E or S."""
    edges = [0] + [k + 1 for k, tag in enumerate(tags) if tag in "ES"]
    if edges[-1] < len(text):
        edges.append(len(text))
    return [text[i:j] for i, j in pairwise(edges)]


@dataclass(eq=False)
class Hmm:
    """Log-probabilities. What is not listed is all but impossible (``NEVER``).

    start: of the first tag; transitions: tag -> next tag; emissions: tag -> character.
    """

    start: Mapping[str, float]
    transitions: Mapping[str, Mapping[str, float]]
    emissions: Mapping[str, Mapping[str, float]]
    _arrays: Any = field(default=None, repr=False)

    @classmethod
    def fit(cls, sentences: Iterable[Sequence[str]]) -> Hmm:
        """From sentences that are cut into words: every probability is a share of counts."""
        start: Counter[str] = Counter()
        steps: dict[str, Counter[str]] = {state: Counter() for state in STATES}
        shown: dict[str, Counter[str]] = {state: Counter() for state in STATES}
        for sentence in sentences:
            tags = "".join(map(word_tags, sentence))
            start.update(tags[:1])
            for tag, character in zip(tags, "".join(sentence)):
                shown[tag][character] += 1
            for tag, after in pairwise(tags):
                steps[tag][after] += 1
        return cls(
            shares(start), {state: shares(steps[state]) for state in STATES},
            {state: shares(shown[state]) for state in STATES},
        )

    @classmethod
    def load(cls, folder: str | Path) -> Hmm:
        """From the parameters that jieba publishes: prob_start.py, prob_trans.py, prob_emit.py."""
        start, transitions, emissions = (
            read_table(Path(folder, f"prob_{name}.py")) for name in ("start", "trans", "emit")
        )
        return cls(start, transitions, emissions)

    def tags(self, text: str) -> list[str]:
        """The most probable tags of the characters of a run of ideographs."""
        if not text:
            return []
        scores = {y: self.start.get(y, NEVER) + self.emission(y, text[0]) for y in STATES}
        routes = []
        for character in text[1:]:
            best = {
                y: max(
                    (scores[x] + self.transitions[x].get(y, NEVER) + self.emission(y, character), x)
                    for x in BEFORE[y]
                )
                for y in STATES
            }
            scores = {y: score for y, (score, _) in best.items()}
            routes.append({y: x for y, (_, x) in best.items()})
        tags = [max("ES", key=lambda y: (scores[y], y))]
        for come_from in reversed(routes):
            tags.append(come_from[tags[-1]])
        return tags[::-1]

    def emission(self, state: str, character: str) -> float:
        return self.emissions[state].get(character, NEVER)

    def cut(self, texts: Sequence[str]) -> list[list[str]]:
        """The words of each text."""
        if active_backend() != "numba" or not texts:
            return [words_of(text, self.tags(text)) for text in texts]
        from .lattice_kernel import tags

        if self._arrays is None:
            self._arrays = self._build()
        start, transitions, emissions, rows = self._arrays
        joined = "".join(texts)
        numbers = np.array([rows.get(character, 0) for character in joined], np.int64)
        edges = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        states = np.empty(len(joined), np.uint8)
        tags(
            numbers, edges, start, transitions, emissions, np.empty((2, 4)),
            np.zeros((len(joined), 4), np.uint8), states,
        )
        letters = "".join(STATES[state] for state in states.tolist())
        return [
            words_of(text, letters[i:j]) for text, (i, j) in zip(texts, pairwise(edges.tolist()))
        ]

    def _build(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int]]:
        characters = sorted({c for table in self.emissions.values() for c in table})
        emissions = np.full((len(characters) + 1, 4), NEVER)
        rows = {character: k + 1 for k, character in enumerate(characters)}
        for y, state in enumerate(STATES):
            for character, value in self.emissions[state].items():
                emissions[rows[character], y] = value
        start = np.array([self.start.get(state, NEVER) for state in STATES])
        transitions = np.array([
            [self.transitions[x].get(y, NEVER) for y in STATES] for x in STATES
        ])
        return start, transitions, emissions, rows


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """log(count / sum of counts)."""
    total = sum(counts.values())
    return {key: math.log(count / total) for key, count in counts.items()}


def read_table(path: Path) -> dict[str, Any]:
    """The dict in a file ``P={...}``; nothing in it is executed."""
    text = read_text(path)
    try:
        value = ast.literal_eval(text[text.index("{") :])
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise BrokenFileError(f"{path}: expected P={{...}} ({error})") from None
    if not isinstance(value, dict) or set(value) != set(STATES):
        raise BrokenFileError(f"{path}: expected a dict with the keys B, E, M and S")
    numbers = [
        x for row in value.values() for x in (row.values() if isinstance(row, dict) else [row])
    ]
    if not all(isinstance(x, float | int) and x <= 0 for x in numbers):
        raise BrokenFileError(f"{path}: expected log-probabilities, numbers of at most 0")
    return value
