"""Normalizers: rewriting text before it is cut, and finding the way back to the original."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FORMS = ("NFC", "NFD", "NFKC", "NFKD")


@dataclass(frozen=True)
class UnicodeForm:
    """Unicode normalization: NFC, NFD, NFKC or NFKD."""

    form: str

    def __call__(self, text: str) -> str:
        return unicodedata.normalize(self.form, text)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Lowercase:
    """Small letters, one character at a time: no special rule for the Greek final sigma."""

    def __call__(self, text: str) -> str:
        return "".join(map(str.lower, text)) if "Σ" in text else text.lower()


@dataclass(frozen=True)
class InTurn:
    """Several normalizers, one after another."""

    steps: tuple[Callable[[str], str], ...]

    def __call__(self, text: str) -> str:
        for step in self.steps:
            text = step(text)
        return text


def align(text: str, normalizer: Callable[[str], str], spans: np.ndarray) -> np.ndarray:
    """Character spans in `text` for character spans in its normalized form.

    The text is cut where no normalization reaches across (before a character that is no mark and
    that does not join with the one before it); inside such a cluster all spans are the cluster.
    """
    starts, ends = [], []
    position = 0
    for cluster in re.findall(r"(?s:.)[^\x00-\u02ff\u3040-\u3098\u4e00-\u9fff]*", text):
        length = len(normalizer(cluster))
        starts += [position] * length
        ends += [position + len(cluster)] * length
        position += len(cluster)
    starts.append(position)
    ends.append(position)
    first = np.array(starts)[spans[:, 0]]
    last = np.array(ends)[np.maximum(spans[:, 1] - 1, 0)]
    return np.stack([first, np.where(spans[:, 1] > spans[:, 0], last, first)], 1)
