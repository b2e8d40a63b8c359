"""What a tokenizer is made of: what readers and trainers return, and ``Tokenizer`` extends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .decoders.joining import Join
from .post_processors.lengths import Padding, Truncation
from .special_tokens import TokenRule
from .text.segments import Pieces


@dataclass(eq=False)
class Stages:
    """Five stages, of which only the model is needed.

    normalizer: str -> str. pre_tokenizer: str -> Pieces (bytes, spans). model: Pieces -> (ids,
    spans); its ``vocabulary`` lists the bytes of each id. post_processor: ids -> ids. decoder:
    list of token bytes -> bytes. special_tokens: their ids; token_rules: how some are found.
    truncation, padding: the most and the least tokens of an encoded text, None: any number.

    A stage that rewrites text also has ``aligned(text)``, which gives the new text and, for each
    of its characters, the span of characters of `text` that it comes from, (n, 2) int64; a
    post-processor that keeps track of them has ``place`` (see ``templates``). A model
    may have ``bulk(normalizer, pre_tokenizer)``: a function ``(data, segments) -> (ids, ends)``
    that runs these stages over many texts at once in a kernel, or None if it has none for them.
    """

    model: Any
    normalizer: Any = None
    pre_tokenizer: Callable[[str], Pieces] | None = None
    post_processor: Callable[[np.ndarray], np.ndarray] | None = None
    decoder: Callable[[list[bytes]], bytes] = field(default_factory=Join)
    special_tokens: dict[str, int] = field(default_factory=dict)
    token_rules: dict[str, TokenRule] = field(default_factory=dict)
    truncation: Truncation | None = None
    padding: Padding | None = None
