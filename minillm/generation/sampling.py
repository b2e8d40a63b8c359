"""From scores to a token: greedy, temperature, top-k, top-p and min-p."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..checks import is_number, is_whole


def distribution(logits, temperature: float = 1.0, top_k: int | None = None,
                 top_p: float | None = None, min_p: float | None = None):
    """The probabilities to sample from: logits (..., V) -> float64 (..., V) with sum 1.

    The steps, in this order: divide by ``temperature``; keep the ``top_k`` best scores (all, if
    V is not larger); keep the fewest best tokens whose probabilities reach ``top_p``; keep those
    with at least ``min_p`` times the probability of the best. What was dropped gets probability
    0. At equal scores the smaller id is kept. Temperature 0 puts all probability on the best
    token. A token with score -inf is never drawn.
    Raises ValueError for a row with NaN or +inf, or with nothing but -inf.
    Sources: top-k Fan et al. (2018); top-p Holtzman et al. (2020), section 3.1; min-p Nguyen et
    al. (2024), section 3.
    """
    check_settings(temperature, top_k, top_p, min_p)
    scores = np.asarray(logits, np.float64)
    check_scores(scores)
    if temperature == 0:
        return (np.arange(scores.shape[-1]) == scores.argmax(axis=-1)[..., None]).astype(np.float64)
    order = np.argsort(-scores, axis=-1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=-1)
    with np.errstate(over="ignore"):  # the best is 0 at any temperature; others may become -inf
        probs = ops.softmax((ranked - ranked[..., :1]) / temperature)
    if top_k is not None:
        probs[..., top_k:] = 0
    if top_p is not None:
        probs /= probs.sum(axis=-1, keepdims=True)
        before = np.cumsum(probs, axis=-1) - probs
        probs[before >= top_p] = 0  # the best token has nothing before it, so it always stays
    if min_p is not None:
        probs[probs < min_p * probs[..., :1]] = 0
    probs /= probs.sum(axis=-1, keepdims=True)
    result = np.empty_like(probs)
    np.put_along_axis(result, order, probs, axis=-1)
    return result


def penalize(logits, seen, penalty: float):
    """Make tokens that occurred before less likely: logits (V,), seen: ids -> (V,).

    A positive score of a seen token is divided by ``penalty`` and a negative one multiplied, so 1
    changes nothing. Source: Keskar et al. (2019), section 4.1, which divides both; for negative
    scores that would be a reward.
    """
    if not is_number(penalty) or not 1 <= penalty < np.inf:
        raise ValueError(f"penalty={penalty!r}: expected a number of at least 1")
    scores = np.array(logits)
    if scores.ndim != 1:
        raise ValueError(f"logits has shape {scores.shape}; expected (V,), one row of scores")
    ids = np.unique(check_tokens("seen", seen, len(scores)))
    scores[ids] = np.where(scores[ids] > 0, scores[ids] / penalty, scores[ids] * penalty)
    return scores


def choose(logits, rng: np.random.Generator, temperature: float = 1.0, top_k: int | None = None,
           top_p: float | None = None, min_p: float | None = None) -> int:
    """Draw one token from logits (V,): the first whose cumulated probability exceeds a draw."""
    logits = np.asarray(logits)
    if logits.ndim != 1 or logits.size == 0:
        raise ValueError(f"logits has shape {logits.shape}; expected (V,), one row of scores")
    if temperature == 0:
        best = int(np.argmax(logits))  # the first NaN, if there is one
        if np.isfinite(logits[best]):
            return best
    cumulated = np.cumsum(distribution(logits, temperature, top_k, top_p, min_p))
    drawn = rng.random() * cumulated[-1]
    if drawn >= cumulated[-1]:  # rounded up to the whole, which no token's sum exceeds
        drawn = np.nextafter(cumulated[-1], 0)
    return int(np.searchsorted(cumulated, drawn, side="right"))


def check_settings(temperature: float, top_k: int | None, top_p: float | None,
                   min_p: float | None = None) -> None:
    """Raise a ValueError naming the first setting that makes no sense."""
    if not is_number(temperature) or not 0 <= temperature < np.inf:
        raise ValueError(f"temperature={temperature!r}: expected a number of at least 0 (0 takes "
                         "the best token always)")
    if top_k is not None and not (is_whole(top_k) and top_k >= 1):
        raise ValueError(f"top_k={top_k!r}: expected a whole number of at least 1, or None")
    if top_p is not None and not (is_number(top_p) and 0 < top_p <= 1):
        raise ValueError(f"top_p={top_p!r}: expected a probability in (0, 1], or None")
    if min_p is not None and not (is_number(min_p) and 0 <= min_p <= 1):
        raise ValueError(f"min_p={min_p!r}: expected a share in [0, 1], or None")


def check_scores(scores) -> None:
    """Raise a ValueError unless each row of scores (..., V) says what may be drawn."""
    if scores.shape[-1:] in ((), (0,)):
        raise ValueError(f"logits has shape {scores.shape}; expected (..., V), a score per token")
    best = scores.max(axis=-1)  # NaN, where there is one
    if np.isfinite(best).all():
        return
    for name, wrong in (("NaN", np.isnan(best)), ("+inf", best == np.inf)):
        if wrong.any():
            raise ValueError(f"logits holds {name}: the model's weights have overflowed or are "
                             "damaged; load its last good checkpoint")
    raise ValueError("logits holds nothing but -inf: every token has been ruled out; leave one "
                     "score finite")


def check_tokens(name: str, ids, vocab_size: int):
    """ids (n,) as int64 if each is a token of the vocabulary; else an error with their name."""
    if isinstance(ids, str) or not (is_row(ids) or isinstance(ids, (set, frozenset))):
        raise TypeError(f"{name}={ids!r}: expected a sequence of ids, such as [5, 7]")
    ids = list(ids)
    for id in ids:
        if not is_whole(id):
            raise TypeError(f"{name} holds {id!r}; expected whole numbers, as a tokenizer returns")
        if not 0 <= id < vocab_size:
            raise ValueError(f"{name} holds {id}, outside [0, {vocab_size}): these ids come from "
                             "another vocabulary than the model's")
    return np.array(ids, np.int64)


def check_ordered(name: str, ids) -> None:
    """Raise a TypeError that names the argument unless it is a list, tuple or array of ids."""
    if not (is_row(ids) or isinstance(ids, str)):  # whose characters are refused one by one
        raise TypeError(f"{name}={ids!r:.60}: expected ids in their order, in a list, a tuple or "
                        "an array, such as [5, 7]")


def is_row(value: Any) -> bool:
    """Whether it is a sequence that may hold ids."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def check_count(name: str, value, least: int) -> None:
    """Raise a ValueError that names the argument unless it is a whole number, at least so large."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{name}={value!r}: expected a whole number of at least {least}")
