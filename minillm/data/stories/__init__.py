"""Stories whose exact probability is known, in English and Chinese.

    from minillm.data import stories
    stories.sample(7)                               # one story
    stories.corpus(10_000, seed=1, language="zh")   # an iterator of stories
    stories.grammar("en", "small").entropy()        # nats per story, exactly
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache

from minillm.data.stories.floor import carried_nats, entropy_per_token, expected_tokens
from minillm.data.stories.parsing import END, ParseResult
from minillm.data.stories.story_grammar import Grammar

__all__ = [
    "END",
    "Grammar",
    "ParseResult",
    "carried_nats",
    "corpus",
    "entropy",
    "entropy_per_token",
    "expected_tokens",
    "grammar",
    "log_probability",
    "parse",
    "sample",
]


@lru_cache(None)
def grammar(language: str = "en", size: str = "full") -> Grammar:
    """The stored grammar of a language and size, read once."""
    return Grammar(language, size)


def sample(seed: int | random.Random = 0, language: str = "en", size: str = "full") -> str:
    """One story; the same seed gives the same story everywhere."""
    return grammar(language, size).sample(seed)


def corpus(
    n: int | None, seed: int = 0, language: str = "en", size: str = "full"
) -> Iterator[str]:
    """``n`` stories drawn one after the other (endless if None)."""
    return grammar(language, size).corpus(n, seed)


def log_probability(text: str, language: str = "en", size: str = "full") -> float:
    """log P(text) in nats, exactly; -inf if it is not a story."""
    return grammar(language, size).log_probability(text)


def entropy(language: str = "en", size: str = "full") -> float:
    """Entropy of a story in nats, exactly."""
    return grammar(language, size).entropy()


def parse(text: str, language: str = "en", size: str = "full") -> ParseResult:
    """Whether ``text`` is a story; if not, where it leaves the grammar and what was possible."""
    return grammar(language, size).parse(text)
