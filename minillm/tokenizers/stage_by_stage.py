"""Encoding many texts one stage after the other, each stage over all of them.

Normalizers rewrite the texts one by one, which Python does in compiled code for most of them. The
pre-tokenizer cuts the bytes of all texts in one pass, and the model encodes all pieces in another.
The definition is what the stages do with one text.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..backends import active_backend
from .normalizers.rewriting import InTurn
from .patterns.automaton import NoAutomatonError
from .pre_tokenizers.cutting_many import Cutter, cutter_of
from .text.segments import BETWEEN, as_utf8, joined_texts, origins
from .vocabulary import Vocabulary
from .word.bulk import look_up
from .word.vocabulary import WordVocabulary

Encoded = tuple[np.ndarray, np.ndarray]


def encoder_of(tok: Vocabulary) -> Callable[[list[str]], Encoded]:
    """The function ``texts -> (ids, ends)``; a NoAutomatonError says why there is none."""
    bulk = getattr(tok.model, "bulk", None)  # some models have a kernel for all stages in one
    fast = bulk(tok.normalizer, tok.pre_tokenizer) if bulk else None
    if fast is not None:
        return lambda texts: fast(*joined_texts(texts))
    cutter, model = bulk_cutter(tok), many_pieces(tok)
    placed = getattr(tok.pre_tokenizer, "needs_place", False)

    def encode(texts: list[str]) -> Encoded:
        if placed:
            texts = [tok._aligned(text)[0] for text in texts]
        else:
            for step in plain_steps(tok.normalizer):
                texts = texts if step is None else each(step, texts)
        data, spans, counts, _ = cutter(*joined_texts(texts), opening(texts))
        ids, ends = model(data, spans)
        return ids, np.concatenate([[0], ends])[np.cumsum(counts)]

    return encode


def bulk_cutter(tok: Vocabulary) -> Cutter:
    """The cutter for many texts; a NoAutomatonError says why they are encoded one by one."""
    if active_backend() != "numba":
        raise NoAutomatonError("the backend is numpy")
    many_pieces(tok)
    return cutter_of(tok.pre_tokenizer)


def many_pieces(tok: Vocabulary) -> Callable[[np.ndarray, np.ndarray], Encoded]:
    """The function ``(data, pieces) -> (ids, ends)`` of the model; a NoAutomatonError if it has
    none."""
    if isinstance(tok.model, WordVocabulary):
        return partial(look_up, tok.model, tok._entries)
    if not hasattr(tok.model, "encode"):
        raise NoAutomatonError(f"{type(tok.model).__name__} encodes text by text")
    return tok.model.encode


def opening(texts: list[str]) -> np.ndarray:
    """How many bytes of each text come from the first character of what it is a part of, (n,).

    At least 1 of a text that stands at the beginning.
    """
    if {*map(type, texts)} <= {str}:
        return np.ones(len(texts), np.int64)
    return np.array([
        len(as_utf8(text[: np.argmax(np.append(origins(text), 1) > 0)])) for text in texts
    ], np.int64)


def plain_steps(normalizer: Any) -> list[Any]:
    """The normalizers that it consists of, in order."""
    if isinstance(normalizer, InTurn):
        return [plain for step in normalizer.steps for plain in plain_steps(step)]
    return [normalizer]


def each(step: Any, texts: list[str]) -> list[str]:
    """Every text rewritten; all in one call where the step looks at one character at a time."""
    if getattr(step, "by_character", False):
        whole = BETWEEN.join(texts)
        if whole.count(BETWEEN) == len(texts) - 1:
            return step(whole).split(BETWEEN)
    return [step(text) for text in texts]
