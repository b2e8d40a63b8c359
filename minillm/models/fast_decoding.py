"""One new token through a whole GPT with one kernel call, where the model is exactly GPT-2's kind.

A model's own ``extend`` calls a dozen functions per layer, which for a single token costs as much
as the arithmetic. The kernel knows one architecture. Whatever differs from it, a part replaced by
a subclass or a tap on the stream, is left to the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends import active_backend
from ..generation.scorers import FAST
from ..nn import (
    Attention,
    Block,
    Dropout,
    Embedding,
    FeedForward,
    LayerNorm,
    Learned,
    Linear,
    Stack,
)
from .gpt import GPT

# What the kernel takes for granted of the parts of a block, each with its attributes.
PARTS: dict[str, tuple[type, dict[str, Any]]] = {
    "norm1": (LayerNorm, {"eps": 1e-5}), "norm2": (LayerNorm, {"eps": 1e-5}),
    "attention": (Attention, {"causal": True, "cross": False, "positions": None,
                              "window": None}),
    "attention.qkv": (Linear, {}), "attention.proj": (Linear, {}),
    "feed_forward": (FeedForward, {"activation": "gelu"}),
    "drop1": (Dropout, {}), "drop2": (Dropout, {}),  # which drop in training only
    "feed_forward.expand": (Linear, {}), "feed_forward.contract": (Linear, {}),
}


def is_known(model) -> bool:
    """Is this a GPT of the very parts that the kernel computes?"""
    if type(model) is not GPT or not isinstance(model.blocks, Stack) or model.blocks.tap:
        return False
    outer = (type(model.tokens), type(model.positions), type(model.norm), model.output)
    if outer != (Embedding, Learned, LayerNorm, None) or getattr(model.norm, "eps", 0) != 1e-5:
        return False
    return all(is_known_block(block, model.config.heads) for block in model.blocks)


def is_known_block(block, heads: int) -> bool:
    parts = {name: part for name, part in named_parts(block) if name}
    return (
        type(block) is Block and block.norm_first and parts.keys() == PARTS.keys()
        and block.attention.heads == block.attention.kv_heads == heads
        and all(type(part) is PARTS[name][0] for name, part in parts.items())
        and all(getattr(parts[name], attribute) == value
                for name, (_, expected) in PARTS.items() for attribute, value in expected.items())
        and all(part.b is not None for part in parts.values() if type(part) is Linear)
    )


def named_parts(module, prefix: str = ""):
    """All modules below one, with their dotted names."""
    for name, child in module.children():
        yield prefix + name, child
        yield from named_parts(child, f"{prefix}{name}.")


class FastDecoder:
    """``model.extend`` for one row without padding, and one token."""

    @classmethod
    def of(cls, model) -> FastDecoder | None:
        """The decoder of this model, if the kernel computes what the model does."""
        return cls(model) if active_backend() == "numba" and is_known(model) else None

    def __init__(self, model):
        from ..kernels import one_token

        where = {name: p.start for name, p in model.named_parameters()}
        self.decode, self.model = one_token.decode, model
        self.starts = np.array([[where[f"blocks.{i}.{name}"] for name in one_token.BLOCK]
                                for i in range(model.config.layers)])
        self.logits = np.empty((1, model.config.vocab_size), model.weights.dtype)

    def extend(self, token: int, cache):
        """Logits after ``token``, which follows what is in ``cache``: (1, V), borrowed."""
        model, position = self.model, cache[0].length
        x = model.tokens.w.value[token] + model.positions.w.value[position]
        self.decode(x, model.weights, self.starts, model.config.hidden or 4 * x.size,
                    cache[0].keys.base, cache[0].values.base, position,
                    (model.norm.w.value, model.norm.b.value), model.tokens.w.value, self.logits[0])
        for part in cache:
            part.length = position + 1
        return self.logits


FAST.append(FastDecoder.of)
