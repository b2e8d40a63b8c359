"""Generation: the model's own output becomes its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .sampling import (
    check_count,
    check_ordered,
    check_settings,
    check_tokens,
    choose,
    is_row,
    penalize,
)
from .scorers import forgotten, scorer_of


def generate(model, prompts, max_new_tokens: int, temperature: float = 1.0,
             top_k: int | None = None, top_p: float | None = None, seed: int | None = 0,
             stop: Sequence[int] = (), cache: bool = True, **options: Any):
    """Continue ``prompts``: one list of ids, or a list of such lists of any lengths.

    Returns the prompt and its continuation, as a list of ids (of lists, for several prompts). A
    row ends before the first token in ``stop`` or after ``max_new_tokens``. Row i draws from its
    own random numbers, (seed, i), so it does not depend on the rows beside it; with ``seed=None``
    they are others each time. Any number of calls may run at once on one model, in any threads,
    also between its loss and its backward. options: see Choice.
    """
    check_ordered("prompts", prompts)
    single = len(prompts) == 0 or not is_row(prompts[0])
    if not single:
        for i, row in enumerate(prompts):
            check_ordered(f"prompts[{i}]", row)
    rows = [list(row) for row in ([prompts] if single else prompts)]
    choice = Choice(temperature, top_k, top_p, **options)
    for i, token in _tokens(model, rows, max_new_tokens, choice, seed, stop, cache):
        rows[i].append(token)
    rows = [[int(i) for i in row] for row in rows]
    return rows[0] if single else rows


def stream(model, prompt, max_new_tokens: int, temperature: float = 1.0,
           top_k: int | None = None, top_p: float | None = None, seed: int | None = 0,
           stop: Sequence[int] = (), cache: bool = True, **options: Any) -> Iterator[int]:
    """The new tokens of one prompt, each as soon as it is chosen; see generate."""
    check_ordered("prompt", prompt)
    choice = Choice(temperature, top_k, top_p, **options)
    for _, token in _tokens(model, [list(prompt)], max_new_tokens, choice, seed, stop, cache):
        yield token


class Choice(NamedTuple):
    """How the next token is chosen, see ``distribution``, and what else decides.

    repetition: see ``penalize``, for the tokens that the model sees; forbidden: ids that are never
    written; keep: so many tokens at the beginning of the text, such as a title, stay in sight
    when it grows beyond the context.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition: float = 1.0
    forbidden: Sequence[int] = ()
    keep: int = 0

    def checked(self, V: int, context: int) -> Choice:
        """Raise a ValueError that names a setting that makes no sense."""
        check_settings(*self[:4])
        forbidden = sorted(set(check_tokens("forbidden", self.forbidden, V).tolist()))
        if len(forbidden) == V:
            raise ValueError(f"forbidden holds all {V} tokens of the vocabulary; leave one")
        check_count("keep", self.keep, 0)
        if self.keep > context // 2:
            raise ValueError(f"keep={self.keep}: expected at most half the context of {context} "
                             "tokens, or there is no room for what follows")
        penalize(np.zeros(1), [], self.repetition)
        return self._replace(forbidden=forbidden)

    def of(self, logits, text: list[int], context: int, rng: np.random.Generator) -> int:
        """The token after ``text``, given its scores (V,)."""
        if self.repetition != 1:
            gone = forgotten(len(text), context, self.keep)
            logits = penalize(logits, text[:self.keep] + text[self.keep + gone:], self.repetition)
        if self.forbidden:
            logits = np.array(logits)
            logits[self.forbidden] = -np.inf
        return choose(logits, rng, *self[:4])


def _tokens(model, rows, max_new_tokens, choice, seed, stop, cache):
    """(index of the row, token), in the order of choice."""
    if isinstance(stop, (int, np.integer)):
        raise TypeError(f"stop={stop!r}: expected a sequence of ids, such as ({stop},)")
    check_count("max_new_tokens", max_new_tokens, 0)
    V, context = model.config.vocab_size, model.config.context
    choice = choice.checked(V, context)
    if seed is None:
        seed = np.random.SeedSequence().entropy
    check_count("seed", seed, 0)
    stop = set(check_tokens("stop", stop, V).tolist())
    for i, row in enumerate(rows):
        if not row:
            raise ValueError(f"prompt {i} is empty: the first token has nothing to follow; start "
                             "from an end-of-text token")
    texts = [check_tokens(f"prompt {i}", row, V).tolist() for i, row in enumerate(rows)]
    rngs = [np.random.default_rng([seed, i]) for i in range(len(rows))]
    scores = scorer_of(model, cache, choice.keep)
    running = set(range(len(rows)))
    for _ in range(max_new_tokens):
        if not running:
            return
        logits = scores(texts)
        for i in range(len(texts)):
            token = choice.of(logits[i], texts[i], context, rngs[i])
            texts[i].append(token)  # finished rows go on unseen, in step with the others
            if token in stop:
                running.discard(i)
            if i in running:
                yield i, token
