"""Beam search: keep the few best texts so far instead of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import ops
from ..checks import check, is_number
from .sampling import check_count, check_ordered, check_scores, check_tokens
from .scorers import scorer_of


def beam_search(model, prompt: Sequence[int], max_new_tokens: int, beams: int = 4,
                stop: Sequence[int] = (), alpha: float = 0.0,
                cache: bool = True) -> list[tuple[list[int], float]]:
    """The ``beams`` best continuations that the search finds, best first.

    Each step extends every running text by its most probable tokens and keeps the best of all. A
    text is finished when it reaches a ``stop`` token, whose probability counts; the search ends
    when no running text can still overtake the finished ones. Returns (ids with the prompt and
    without the stop token, log-probability of the continuation). With ``beams`` of 1 it is greedy.
    The search is not exact: the best text may begin with a token that looked bad.

    Every token makes a text less probable, which favours short ones. Texts that end are ranked by
    log-probability / length_penalty(tokens, alpha), the stop token counted; alpha = 0 ranks by
    probability alone, 0.6 to 1 are usual.
    Source: Sutskever et al. (2014), section 3.2.
    """
    start, ended = check_search(model, prompt, max_new_tokens, beams, stop)
    check("alpha", alpha, is_number(alpha) and 0 <= alpha < np.inf, "a number of at least 0")
    scores = scorer_of(model, cache)
    running = [(start, 0.0)]
    finished: list[tuple[float, list[int], float]] = []  # (rank, ids, log-probability)
    least = length_penalty(max_new_tokens, alpha)  # what a running text's score may become
    for length in range(1, max_new_tokens + 1):
        logits = scores([ids for ids, _ in running]).astype(np.float64)
        check_scores(logits)
        log_p = ops.log_softmax(logits)
        totals = log_p + np.array([score for _, score in running])[:, None]
        best = np.argsort(-totals, axis=None, kind="stable")[:(1 + len(ended)) * beams]
        candidates, parents = [], []
        for row, token in zip(*np.unravel_index(best, totals.shape), strict=True):
            ids, score = running[row][0], float(totals[row, token])
            if score == -np.inf:
                break  # ruled out, like all that follow
            if token in ended:
                finished.append((score / length_penalty(length, alpha), ids, score))
            else:
                candidates.append(([*ids, int(token)], score))
                parents.append(int(row))
        running = candidates[:beams]
        scores.follow(parents[:beams])
        finished = sorted(finished, key=lambda text: -text[0])[:beams]
        if not running or (len(finished) == beams and finished[-1][0] >= running[0][1] / least):
            break
    else:
        finished += [(score / least, ids, score) for ids, score in running]
    ranked = sorted(finished, key=lambda text: -text[0])[:beams]
    return [(ids, score) for _, ids, score in ranked]


def length_penalty(tokens: int, alpha: float) -> float:
    """((5 + tokens) / 6)^alpha, by which a log-probability is divided.

    Source: Wu et al. (2016), section 7.
    """
    return ((5 + tokens) / 6) ** alpha


def check_search(model, prompt, max_new_tokens: int, beams: int,
                 stop) -> tuple[list[int], set[int]]:
    """The ids of ``prompt`` and of ``stop``, or an error that names the argument at fault."""
    check_count("beams", beams, 1)
    check_count("max_new_tokens", max_new_tokens, 0)
    check_ordered("prompt", prompt)
    V = model.config.vocab_size
    ended = set(check_tokens("stop", stop, V).tolist())
    start = check_tokens("prompt", prompt, V).tolist()
    if not start:
        raise ValueError("prompt is empty: start from an end-of-text token")
    if len(start) + max_new_tokens > model.config.context + 1:
        raise ValueError(f"prompt and max_new_tokens={max_new_tokens} make "
                         f"{len(start) + max_new_tokens} tokens; the context of this model holds "
                         f"{model.config.context}")
    return start, ended
