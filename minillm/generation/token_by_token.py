"""Generation: the model's own output becomes its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .sampling import (
    check_count,
    check_ordered,
    check_settings,
    check_tokens,
    choose,
    is_row,
)
from .scorers import scorer_of


def generate(model, prompts, max_new_tokens: int, temperature: float = 1.0,
             top_k: int | None = None, top_p: float | None = None, seed: int | None = 0,
             stop: Sequence[int] = (), cache: bool = True):
    """Continue ``prompts``: one list of ids, or a list of such lists of any lengths.

    Returns the prompt and its continuation, as a list of ids (of lists, for several prompts). A
    row ends before the first token in ``stop`` or after ``max_new_tokens``. Row i draws from its
    own random numbers, (seed, i), so it does not depend on the rows beside it; with ``seed=None``
    they are others each time. Any number of calls may run at once on one model, in any threads,
    also between its loss and its backward.
    """
    check_ordered("prompts", prompts)
    single = len(prompts) == 0 or not is_row(prompts[0])
    if not single:
        for i, row in enumerate(prompts):
            check_ordered(f"prompts[{i}]", row)
    rows = [list(row) for row in ([prompts] if single else prompts)]
    for i, token in _tokens(model, rows, max_new_tokens, temperature, top_k, top_p, seed, stop,
                            cache):
        rows[i].append(token)
    rows = [[int(i) for i in row] for row in rows]
    return rows[0] if single else rows


def stream(model, prompt, max_new_tokens: int, temperature: float = 1.0,
           top_k: int | None = None, top_p: float | None = None, seed: int | None = 0,
           stop: Sequence[int] = (), cache: bool = True) -> Iterator[int]:
    """The new tokens of one prompt, each as soon as it is chosen; see generate."""
    check_ordered("prompt", prompt)
    for _, token in _tokens(model, [list(prompt)], max_new_tokens, temperature, top_k, top_p, seed,
                            stop, cache):
        yield token


def _tokens(model, rows, max_new_tokens, temperature, top_k, top_p, seed, stop, cache):
    """(index of the row, token), in the order of choice."""
    if isinstance(stop, (int, np.integer)):
        raise TypeError(f"stop={stop!r}: expected a sequence of ids, such as ({stop},)")
    check_count("max_new_tokens", max_new_tokens, 0)
    check_settings(temperature, top_k, top_p)
    if seed is None:
        seed = np.random.SeedSequence().entropy
    check_count("seed", seed, 0)
    V = model.config.vocab_size
    stop = set(check_tokens("stop", stop, V).tolist())
    for i, row in enumerate(rows):
        if not row:
            raise ValueError(f"prompt {i} is empty: the first token has nothing to follow; start "
                             "from an end-of-text token")
    texts = [check_tokens(f"prompt {i}", row, V).tolist() for i, row in enumerate(rows)]
    rngs = [np.random.default_rng([seed, i]) for i in range(len(rows))]
    scores = scorer_of(model, cache)
    running = set(range(len(rows)))
    for _ in range(max_new_tokens):
        if not running:
            return
        logits = scores(texts)
        for i in range(len(texts)):
            token = choose(logits[i], rngs[i], temperature, top_k, top_p)
            texts[i].append(token)  # finished rows go on unseen, in step with the others
            if token in stop:
                running.discard(i)
            if i in running:
                yield i, token
