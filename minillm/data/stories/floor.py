"""The loss no model can beat: entropy per story over expected tokens per story."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minillm.data.stories.story_grammar import Grammar, mentions


def expected_tokens(
    grammar: Grammar, tokenizer: Any, samples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """E[tokens of a story, its end token included] and the standard error of the estimate.

    ``tokenizer`` has ``encode_batch(texts) -> (ids, offsets)``. The mean over ``samples`` stories
    is corrected by what is known exactly, the expected number of characters: with slope b of
    tokens on characters, mean(tokens) - b (mean(characters) - E[characters]) has the same
    expectation and a much smaller variance (a control variate). For a character tokenizer the
    result is exact.
    """
    if samples < 2:
        raise ValueError(f"samples={samples} is too few for a standard error; use 2 or more")
    texts = list(grammar.corpus(samples, seed))
    _, offsets = tokenizer.encode_batch(texts)
    tokens = np.diff(np.asarray(offsets, dtype=np.float64)) + 1
    characters = np.array([len(text) for text in texts], dtype=np.float64)
    centred = characters - characters.mean()
    slope = float(centred @ tokens / (centred @ centred))
    mean = tokens.mean() - slope * (characters.mean() - grammar.expected_characters())
    residual = tokens - tokens.mean() - slope * centred
    return float(mean), float(np.sqrt(residual @ residual / (samples - 2) / samples))


def entropy_per_token(
    grammar: Grammar, tokenizer: Any, samples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """H(story) / E[tokens per story] in nats and its standard error (see ``grammar``'s top).

    The floor of Σ loss / Σ tokens over many stories, each seen from its beginning and counted
    with its end token, as ``DataLoader(…, windows="documents")`` presents them.
    """
    tokens, error = expected_tokens(grammar, tokenizer, samples, seed)
    floor = grammar.entropy() / tokens
    return floor, floor * error / tokens


def carried_nats(grammar: Grammar) -> float:
    """What the past of a story says about its future: nats, mean over the steps after the first.

    Before a step, a bound slot that will be mentioned again is worth log(number of values): this
    is what a model must remember, and what a window that begins there has to pay once more. It
    counts slots only; which plot it is and how far it has come is worth a few nats on top.
    """
    total = weight = 0.0
    for (steps, bound), p in grammar.visits.items():
        if not steps or not bound:
            continue
        weight += p
        for slot in bound:
            never = 1.0
            for step in steps:
                choices = grammar.steps[step]
                never *= sum(slot not in mentions(choice) for choice in choices) / len(choices)
            total += p * (1 - never) * math.log(grammar.options(slot, frozenset()))
    return total / weight
