"""Beam search: keep the few best texts so far instead of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..checks import check, is_number
from .sampling import check_count, check_ordered, check_scores, check_tokens, is_row
from .scorers import scorer_of

Text = tuple[list[int], float]  # ids, and the log-probability of the continuation


def beam_search(model, prompt: Sequence[Any], max_new_tokens: int, beams: int = 4,
                stop: Sequence[int] = (), alpha: float = 0.0, cache: bool = True) -> list[Any]:
    """The ``beams`` best continuations that the search finds, best first.

    Each step extends every running text by its most probable tokens and keeps the best of all. A
    text is finished when it reaches a ``stop`` token, whose probability counts; the search ends
    when no running text can still overtake the finished ones. Returns (ids with the prompt and
    without the stop token, log-probability of the continuation) for each; for a list of prompts,
    which are searched side by side, a list of such lists. With ``beams`` of 1 it is greedy.
    The search is not exact: the best text may begin with a token that looked bad.

    Every token makes a text less probable, which favours short ones. Texts that end are ranked by
    log-probability / length_penalty(tokens, alpha), the stop token counted; alpha = 0 ranks by
    probability alone, 0.6 to 1 are usual.
    Source: Sutskever et al. (2014), section 3.2.
    """
    check_ordered("prompt", prompt)
    single = len(prompt) == 0 or not is_row(prompt[0])
    starts, ended = check_search(model, [prompt] if single else prompt, max_new_tokens, beams, stop)
    check("alpha", alpha, is_number(alpha) and 0 <= alpha < np.inf, "a number of at least 0")
    scores = scorer_of(model, cache)
    searches = [Search(start, beams, max_new_tokens, alpha) for start in starts]
    going = [search for search in searches if not search.over]
    for _ in range(max_new_tokens):
        if not going:
            break
        logits = scores([ids for search in going for ids, _ in search.running]).astype(np.float64)
        check_scores(logits)
        log_p, first, parents = ops.log_softmax(logits), 0, []
        for search in going:
            after = first + len(search.running)
            chosen = search.step(log_p[first:after], ended)
            parents += [first + row for row in chosen]
            first = after
        going = [search for search in going if not search.over]
        if going:
            scores.follow(parents)
    found = [search.best() for search in searches]
    return found[0] if single else found


class Search:
    """The beam of one prompt: texts that run and texts that have ended."""

    def __init__(self, start: list[int], beams: int, max_new_tokens: int, alpha: float):
        self.beams, self.left, self.alpha = beams, max_new_tokens, alpha
        self.length = 0  # tokens of the running texts
        self.least = length_penalty(max_new_tokens, alpha)  # of what a running text may become
        self.running: list[Text] = [(start, 0.0)]
        self.finished: list[tuple[float, Text]] = []  # with their ranks
        self.over = max_new_tokens == 0

    def step(self, log_p, ended: set[int]) -> list[int]:
        """One token more, given log-probabilities (running, V); which texts go on, in order.

        None goes on once the search is over.
        """
        self.length += 1
        totals = (log_p + np.array([score for _, score in self.running])[:, None]).ravel()
        candidates: list[Text] = []
        parents = []
        best = largest(totals, (1 + len(ended)) * self.beams)
        for place, score in zip(best.tolist(), totals[best].tolist(), strict=True):
            row, token = divmod(place, log_p.shape[1])
            if score == -np.inf:
                break  # ruled out, like all that follow
            ids = self.running[row][0]
            if token in ended:
                rank = score / length_penalty(self.length, self.alpha)
                self.finished.append((rank, (ids, score)))
            elif len(candidates) < self.beams:
                candidates.append(([*ids, token], score))
                parents.append(row)
        self.running = candidates
        self.finished = sorted(self.finished, key=lambda text: -text[0])[:self.beams]
        full = len(self.finished) == self.beams
        if not candidates or (full and self.finished[-1][0] >= candidates[0][1] / self.least):
            self.running = []
        self.left -= 1
        self.over = not self.running or self.left == 0
        return [] if self.over else parents

    def best(self) -> list[Text]:
        """The best texts, those that have reached the greatest length among them."""
        ranked = self.finished + [(text[1] / self.least, text) for text in self.running]
        return [text for _, text in sorted(ranked, key=lambda text: -text[0])[:self.beams]]


def largest(x, count: int):
    """Places of the ``count`` largest numbers of x (n,), in order; of equal ones the first."""
    if count < len(x):
        at_least = np.partition(x, len(x) - count)[len(x) - count]
        places = np.flatnonzero(x >= at_least)
    else:
        places = np.arange(len(x))
    return places[np.argsort(-x[places], kind="stable")[:count]]


def length_penalty(tokens: int, alpha: float) -> float:
    """((5 + tokens) / 6)^alpha, by which a log-probability is divided.

    Source: Wu et al. (2016), section 7.
    """
    return ((5 + tokens) / 6) ** alpha


def check_search(model, prompts, max_new_tokens: int, beams: int,
                 stop) -> tuple[list[list[int]], set[int]]:
    """The ids of each prompt and of ``stop``, or an error that names the argument at fault."""
    check_count("beams", beams, 1)
    check_count("max_new_tokens", max_new_tokens, 0)
    V = model.config.vocab_size
    ended = set(check_tokens("stop", stop, V).tolist())
    starts = []
    for prompt in prompts:
        check_ordered("prompt", prompt)
        start = check_tokens("prompt", prompt, V).tolist()
        if not start:
            raise ValueError("prompt is empty: start from an end-of-text token")
        if len(start) + max_new_tokens > model.config.context + 1:
            raise ValueError(f"prompt and max_new_tokens={max_new_tokens} make "
                             f"{len(start) + max_new_tokens} tokens; the context of this model "
                             f"holds {model.config.context}")
        starts.append(start)
    return starts, ended
