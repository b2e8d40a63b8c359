"""Functions shown by examples in the prompt: x₁ f(x₁) x₂ f(x₂) … x, and f(x) is asked.

    from minillm.data.tasks import in_context
    prompts, answers = in_context.prompts(64, examples=6, kind="map", seed=1)
    in_context.spell(prompts[0])          # 'a→q d→c … d→'

Every prompt has its own function, so nothing learned from other prompts answers it.
"""

from __future__ import annotations

import string

import numpy as np

KINDS = ("map", "shift")
HELD = 5  # one prompt in five is held out


def is_held(prompts: np.ndarray) -> np.ndarray:
    """Whether prompts (..., 2 examples + 1) belong to the held-out set."""
    return prompts.sum(axis=-1) % HELD == 0


def prompts(
    n: int, examples: int, kind: str = "map", symbols: int = 16, seed: int = 0, held: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """``n`` prompts (n, 2 examples + 1) int64 with ids below ``symbols``, and answers (n,).

    "map": f takes every symbol to any; the asked x is one of the examples, which have different x.
    "shift": f(x) = x + c modulo ``symbols``; the asked x is none of the examples.
    Raises ValueError on another kind, on fewer than 5 symbols, or more examples than they allow.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: expected one of {KINDS}")
    if n < 0 or symbols < HELD:
        raise ValueError(f"n is {n} and symbols {symbols}: give n >= 0 and symbols >= {HELD}")
    most = symbols if kind == "map" else symbols - 1
    if not 1 <= examples <= most:
        raise ValueError(f"examples is {examples}: give 1 to {most} for {symbols} symbols, {kind}")
    rng = np.random.default_rng(seed)
    found = np.empty((0, 2 * examples + 2), np.int64)
    while len(found) < n:
        rows = _draw(rng, n + 64, examples, kind, symbols)
        found = np.concatenate([found, rows[is_held(rows[:, :-1]) == held]])
    return found[:n, :-1].copy(), found[:n, -1].copy()


def _draw(
    rng: np.random.Generator, n: int, examples: int, kind: str, symbols: int
) -> np.ndarray:
    """Prompts with their answers as last column, of both sets."""
    order = rng.permuted(np.tile(np.arange(symbols), (n, 1)), axis=1)
    x = order[:, :examples]
    if kind == "map":
        y = rng.integers(symbols, size=x.shape)
        which = rng.integers(examples, size=(n, 1))
        asked = np.take_along_axis(x, which, axis=1)
        answer = np.take_along_axis(y, which, axis=1)
    else:
        c = rng.integers(symbols, size=(n, 1))
        y = (x + c) % symbols
        asked = order[:, examples : examples + 1]
        answer = (asked + c) % symbols
    return np.concatenate([np.stack([x, y], axis=2).reshape(n, -1), asked, answer], axis=1)


def spell(prompt: np.ndarray) -> str:
    """A prompt in letters (up to 26 symbols), for reading: 'a→q d→c d→'."""
    letters = [string.ascii_lowercase[i] for i in prompt]
    pairs = [f"{x}→{y}" for x, y in zip(letters[0:-1:2], letters[1::2])]
    return " ".join([*pairs, f"{letters[-1]}→"])
