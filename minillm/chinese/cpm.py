"""The recipe of CPM (Zhang et al. 2020): words first, then any subword tokenizer on the result.

Text is cut into words that are joined with spaces, so that no token reaches across a word. Spaces
and line feeds of the text become ▂ and ▃, so that they can be told from these. Decoding undoes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tokenizers.decoders.streaming import OneByOne, Step, WaitForAll
from ..tokenizers.normalizers.alignment import Aligned
from ..tokenizers.normalizers.rewriting import InTurn

if TYPE_CHECKING:
    from ..tokenizers import Tokenizer

Cut = Callable[[str], list[str]]
SPACE, LINE = "\u2582", "\u2583"
MARKS = str.maketrans({" ": SPACE, "\n": LINE})
TEXT = str.maketrans({" ": None, SPACE: " ", LINE: "\n"})
HALVES = (SPACE.encode()[:2], SPACE.encode()[:1])  # both marks begin with the same two bytes


def to_cpm(text: str, cut: Cut) -> str:
    """Words joined by spaces, with ▂ and ▃ for the spaces and line feeds of the text.

    >>> to_cpm("a b", lambda text: ["a", " ", "b"])
    'a ▂ b'
    """
    return " ".join(word.translate(MARKS) for word in cut(text))


def from_cpm(text: str) -> str:
    """The text again; exact if it held neither ▂ nor ▃."""
    return text.translate(TEXT)


@dataclass(frozen=True)
class CpmText:
    """``to_cpm`` as a normalizer. The spaces between words come from nowhere in the text."""

    cut: Cut

    def __call__(self, text: str) -> str:
        return to_cpm(text, self.cut)

    def aligned(self, text: str) -> Aligned:
        """The new text, and the span of `text` that each of its characters comes from."""
        words = self.cut(text)
        spans, position = [], 0
        for k, word in enumerate(words):
            if k:
                spans.append((position, position))
            spans += [(position + i, position + i + 1) for i in range(len(word))]
            position += len(word)
        return self(text), np.array(spans, np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class FromCpm(OneByOne):
    """Decode with another decoder, then undo ``to_cpm``."""

    decoder: Callable[[list[bytes]], bytes]

    @property
    def inner(self) -> Any:
        """The other decoder, token by token where it can be used so."""
        return self.decoder if hasattr(self.decoder, "push") else WaitForAll(self.decoder)

    def start(self) -> Any:
        """The other's state, and bytes that may be the beginning of a mark."""
        return self.inner.start(), b""

    def push(self, state: Any, token: bytes) -> Step:
        inner, held = state
        inner, decided = self.inner.push(inner, token)
        data = held + b"".join(decided)
        held = next((mark for mark in HALVES if data.endswith(mark)), b"")
        data = data.removesuffix(held)
        return (inner, held), [without_marks(data)] if data else []

    def finish(self, state: Any) -> list[bytes]:
        inner, held = state
        return [without_marks(held + b"".join(self.inner.finish(inner)))]


def without_marks(data: bytes) -> bytes:
    """``from_cpm`` on bytes."""
    data = data.replace(b" ", b"")
    return data.replace(SPACE.encode(), b" ").replace(LINE.encode(), b"\n")


def with_cpm(tok: Tokenizer, cut: Cut) -> Tokenizer:
    """A tokenizer for plain text from one that was trained on text in the form of ``to_cpm``."""
    from ..tokenizers import Tokenizer

    steps = (CpmText(cut),) if tok.normalizer is None else (CpmText(cut), tok.normalizer)
    return Tokenizer(
        tok.model, InTurn(steps), tok.pre_tokenizer, tok.post_processor, FromCpm(tok.decoder),
        tok.special_tokens,
    )
