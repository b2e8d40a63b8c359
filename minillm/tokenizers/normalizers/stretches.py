"""Rewriting only what has to be: most of a text stays as it is, and short stretches change.

A stretch is a run of characters marked in an array `inside` (n,) bool; nothing in it depends on
what stands outside of it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .alignment import Aligned, identity

SHORT = 32  # characters of a stretch that may come again


def remembered(align: Callable[[Any, str], Aligned]) -> Callable[[Any, str], Aligned]:
    """The function of a normalizer and a stretch, with a memory for short stretches."""
    known = lru_cache(1 << 14)(align)
    return lambda normalizer, text: (known if len(text) < SHORT else align)(normalizer, text)


def code_points(text: str) -> np.ndarray:
    """The code point of each character, (n,) uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def with_neighbours(marked: np.ndarray, after: bool = True) -> np.ndarray:
    """The characters that are marked, the ones before them and, if `after`, the ones behind."""
    wide = marked.copy()
    wide[:-1] |= marked[1:]
    if after:
        wide[1:] |= marked[:-1]
    return wide


def cut_out(text: str, inside: np.ndarray) -> tuple[list[str], list[int]]:
    """The parts of the text, outside and inside in turn, and where each begins."""
    edges = [0, *np.flatnonzero(np.diff(inside, prepend=False, append=False)).tolist()]
    return [text[i:j] for i, j in zip(edges, [*edges[1:], len(text)])], edges


def rewritten(text: str, inside: np.ndarray, rewrite: Callable[[str], str]) -> str:
    """The text, its stretches rewritten."""
    parts = cut_out(text, inside)[0]
    parts[1::2] = map(rewrite, parts[1::2])
    return "".join(parts)


def aligned(text: str, inside: np.ndarray, rewrite: Callable[[str], Aligned]) -> Aligned:
    """The same with the span of characters of `text` that each new one comes from (n, 2)."""
    if not inside.any():
        return text, identity(text)
    parts, edges = cut_out(text, inside)
    found = [rewrite(part) for part in parts[1::2]]
    parts[1::2] = [part for part, _ in found]
    sizes = np.array([*map(len, parts)])
    shift = np.array(edges) - (np.cumsum(sizes) - sizes)
    starts = np.arange(int(sizes.sum())) + np.repeat(shift, sizes)
    sources = np.stack([starts, starts + 1], 1)
    turned = np.repeat(np.arange(len(parts)) % 2 == 1, sizes)
    before = np.repeat(np.array(edges[1::2]), sizes[1::2])
    sources[turned] = np.concatenate([places for _, places in found]) + before[:, None]
    return "".join(parts), sources
