"""From scores to a token: greedy, temperature, top-k and top-p."""

from __future__ import annotations

import numpy as np

from .. import ops


def distribution(logits, temperature: float = 1.0, top_k: int | None = None,
                 top_p: float | None = None):
    """The probabilities to sample from: logits (..., V) -> float64 (..., V) with sum 1.

    The steps, in this order: divide by ``temperature``; keep the ``top_k`` best scores (all, if
    V is not larger); keep the fewest best tokens whose probabilities reach ``top_p``. What was
    dropped gets probability 0. At equal scores the smaller id is kept. Temperature 0 puts all
    probability on the best token.
    Sources: top-k Fan et al. (2018); top-p Holtzman et al. (2020), section 3.1.
    """
    check_settings(temperature, top_k, top_p)
    scores = np.asarray(logits, np.float64)
    if np.isnan(scores).any():
        raise ValueError("logits holds NaN: the model's weights have overflowed or are damaged")
    if temperature == 0:
        return (np.arange(scores.shape[-1]) == scores.argmax(axis=-1)[..., None]).astype(np.float64)
    order = np.argsort(-scores, axis=-1, kind="stable")
    probs = ops.softmax(np.take_along_axis(scores, order, axis=-1) / temperature)
    if top_k is not None:
        probs[..., top_k:] = 0
    if top_p is not None:
        probs /= probs.sum(axis=-1, keepdims=True)
        before = np.cumsum(probs, axis=-1) - probs
        probs[before >= top_p] = 0  # the best token has nothing before it, so it always stays
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
    if not penalty >= 1:
        raise ValueError(f"penalty={penalty}: expected a number of at least 1")
    scores = np.array(logits)
    ids = np.unique(np.asarray(seen, np.int64))
    scores[ids] = np.where(scores[ids] > 0, scores[ids] / penalty, scores[ids] * penalty)
    return scores


def choose(logits, rng: np.random.Generator, temperature: float = 1.0, top_k: int | None = None,
           top_p: float | None = None) -> int:
    """Draw one token from logits (V,): the first whose cumulated probability exceeds a draw."""
    if temperature == 0:
        best = int(np.argmax(logits))  # the first NaN, if there is one
        if not np.isnan(logits[best]):
            return best
    cumulated = np.cumsum(distribution(logits, temperature, top_k, top_p))
    return int(np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right"))


def check_settings(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise a ValueError naming the first setting that makes no sense."""
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature={temperature}: expected a number of at least 0 (0 takes "
                         "the best token always)")
    if top_k is not None and not (isinstance(top_k, (int, np.integer)) and top_k >= 1):
        raise ValueError(f"top_k={top_k!r}: expected a whole number of at least 1, or None")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p!r}: expected a probability in (0, 1], or None")
