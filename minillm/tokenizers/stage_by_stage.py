"""Encoding many texts one stage after the other, each stage over all of them.

Normalizers rewrite the texts one by one, which Python does in compiled code for most of them. The
pre-tokenizer cuts the bytes of all texts in one pass, and the model encodes all pieces in another.
The definition is what the stages do with one text.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backends import active_backend
from .normalizers.rewriting import InTurn
from .patterns.automaton import NoAutomatonError
from .pre_tokenizers.cutting_many import cutter_of
from .pre_tokenizers.metaspace import Metaspace, with_mark
from .pre_tokenizers.split_rules import Split
from .stages import Stages
from .text.segments import BETWEEN, joined_texts

Encoded = tuple[np.ndarray, np.ndarray]


def encoder_of(stages: Stages) -> Callable[[list[str]], Encoded]:
    """The function ``texts -> (ids, ends)``; a NoAutomatonError says why there is none."""
    bulk = getattr(stages.model, "bulk", None)  # some models have a kernel for all stages in one
    fast = bulk(stages.normalizer, stages.pre_tokenizer) if bulk else None
    if fast is not None:
        return lambda texts: fast(*joined_texts(texts))
    if active_backend() != "numba":
        raise NoAutomatonError("the backend is numpy")
    if not hasattr(stages.model, "encode"):
        raise NoAutomatonError(f"{type(stages.model).__name__} encodes text by text")
    rewrite, stage = rewriting_first(stages.pre_tokenizer)
    cutter = cutter_of(stage)

    def encode(texts: list[str]) -> Encoded:
        for step in (*plain_steps(stages.normalizer), rewrite):
            texts = texts if step is None else each(step, texts)
        data, segments = joined_texts(texts)
        spans, counts = cutter(data, segments)
        ids, ends = stages.model.encode(data, spans)
        return ids, np.concatenate([[0], ends])[np.cumsum(counts)]

    return encode


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


def rewriting_first(stage: Any) -> tuple[Callable[[str], str] | None, Any]:
    """A pre-tokenizer as what it does to the text, and what then cuts that."""
    if not isinstance(stage, Metaspace) or stage.needs_place:
        return None, stage
    mark = f"\\x{{{ord(stage.mark):X}}}"
    cuts = Split(f"{mark}[^{mark}]*|[^{mark}]+") if stage.split else None
    return (lambda text: with_mark(text, stage.scheme, stage.mark)), cuts
