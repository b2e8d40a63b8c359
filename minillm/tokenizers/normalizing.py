"""Normalizers: rewriting text before it is cut, and finding the way back to the original.

Each is called like a function, and ``aligned(text)`` gives the new text together with the span of
characters of `text` that each of its characters comes from, (n, 2) int64.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
Aligned = tuple[str, np.ndarray]


@dataclass(frozen=True)
class UnicodeForm:
    """Unicode normalization: NFC, NFD, NFKC or NFKD."""

    form: str

    def __call__(self, text: str) -> str:
        return unicodedata.normalize(self.form, text)  # type: ignore[arg-type]

    def aligned(self, text: str) -> Aligned:
        return by_cluster(text, self)


@dataclass(frozen=True)
class Lowercase:
    """Small letters, one character at a time: no special rule for the Greek final sigma."""

    def __call__(self, text: str) -> str:
        return "".join(map(str.lower, text)) if "Σ" in text else text.lower()

    def aligned(self, text: str) -> Aligned:
        return by_character(text, self)


@dataclass(frozen=True)
class InTurn:
    """Several normalizers, one after another."""

    steps: tuple[Any, ...]

    def __call__(self, text: str) -> str:
        for step in self.steps:
            text = step(text)
        return text

    def aligned(self, text: str) -> Aligned:
        sources = identity(text)
        for step in self.steps:
            text, found = step.aligned(text)
            sources = through(sources, found)
        return text, sources


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
    return joined_parts(text, normalizer)


def by_cluster(text: str, normalizer: Callable[[str], str]) -> Aligned:
    """Alignment of Unicode normalization.

    The text is cut where no normalization reaches across (before a character that is no mark and
    that does not join with the one before it); all that comes of such a cluster has its span.
    """
    clusters = re.findall(r"(?s:.)[^\x00-\u02ff\u3040-\u3098\u4e00-\u9fff]*", text)
    return joined_parts(clusters, normalizer)


def joined_parts(parts: Any, normalizer: Callable[[str], str]) -> Aligned:
    made, spans, position = [], [], 0
    for part in parts:
        made.append(normalizer(part))
        spans += [(position, position + len(part))] * len(made[-1])
        position += len(part)
    return "".join(made), np.array(spans, np.int64).reshape(-1, 2)
