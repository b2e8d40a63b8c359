"""The way back from a normalized text: which characters each of its characters comes from."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..text.segments import Normalized

Aligned = tuple[str, np.ndarray]


def identity(text: str) -> np.ndarray:
    """Each character comes from itself: (n, 2)."""
    return np.arange(len(text))[:, None] + np.arange(2)


def through(sources: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Spans (k, 2) of characters that themselves come from `sources` (n, 2): spans of the origin.

    An empty span stands where the character after it begins, or at the end.
    """
    if not len(sources):
        return np.zeros_like(spans)
    starts = np.append(sources[:, 0], sources[-1, 1])
    first = starts[spans[:, 0]]
    last = sources[np.clip(spans[:, 1] - 1, 0, len(sources) - 1), 1]
    return np.stack([first, np.where(spans[:, 1] > spans[:, 0], last, first)], 1)


def by_character(text: str, normalizer: Callable[[str], str]) -> Aligned:
    """Alignment of a normalizer that treats each character by itself."""
    parts = {character: normalizer(character) for character in set(text)}
    sizes = {character: len(part) for character, part in parts.items()}
    counts = np.fromiter(map(sizes.__getitem__, text), np.int64, len(text))
    return "".join(map(parts.__getitem__, text)), np.repeat(identity(text), counts, 0)


def normal_form(normalizer: Any, text: str) -> Aligned:
    """The normalized text, and the spans in the text that its characters come from."""
    if isinstance(text, Normalized):
        return text, text.sources
    if not hasattr(normalizer, "aligned"):
        raise TypeError(f"normalizer={normalizer!r} has no method aligned(text), which "
                        "finding places in the original text needs; see Tokenizer")
    return normalizer.aligned(text)
