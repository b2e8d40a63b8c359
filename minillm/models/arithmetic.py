"""How many multiplications of numbers the matrix products of a forward pass take.

Each comes with an addition, so floating-point operations are twice as many; a training step takes
about three times a forward pass. Norms, activations and softmax, a few operations for each number,
are left out, as usual. Attention is counted as its definition does it, over the whole square of
queries and keys; kernels that skip masked parts do less.
Source: Kaplan et al. (2020), section 2.1, which leaves attention's own products out.
"""

from __future__ import annotations

from typing import Any

from ..nn.feed_forward import inside_of
from .bert import BERTConfig
from .gpt import GPTConfig
from .seq2seq import Seq2SeqConfig
from .vit import ViTConfig


def multiplications(config: Any, tokens: int = 0, target: int = 0) -> int:
    """For one text of so many tokens (and a target of so many), or for one image.

    config: of a GPT, BERT, Seq2Seq or ViT. The last block's outputs are counted at every position.
    """
    if isinstance(config, GPTConfig):
        T, kv = tokens, config.kv_heads or config.heads
        return (config.layers * block(config, config.feed_forward, T, kv)
                + T * config.vocab_size * config.width)
    if isinstance(config, BERTConfig):
        head = config.width * (config.width + config.vocab_size)
        return config.layers * block(config, "gelu_exact", tokens) + tokens * head
    if isinstance(config, ViTConfig):
        patches = config.grid[0] * config.grid[1]
        cut = patches * config.patch ** 2 * config.channels * config.width
        return (cut + config.layers * block(config, "gelu_exact", 1 + patches)
                + config.width * config.classes)
    if isinstance(config, Seq2SeqConfig):
        S, T, C = tokens, target, config.width
        kind = config.feed_forward
        cross = 2 * T * C * C + 2 * S * C * C + 2 * T * S * C
        return (config.layers * (block(config, kind, S) + block(config, kind, T) + cross)
                + T * C * config.vocab_size)
    raise TypeError(f"config is a {type(config).__name__}; expected that of a GPT, BERT, Seq2Seq "
                    "or ViT")


def block(config: Any, kind: str, T: int, kv_heads: int | None = None) -> int:
    """Of one block: queries, keys and values, attention's two products, output, feed-forward."""
    C, H = config.width, config.heads
    narrow = C * (kv_heads or H) // H  # width of all keys
    return T * (2 * C * C + 2 * C * narrow + feed_forward_layer(config, kind)) + 2 * T * T * C


def feed_forward_layer(config: Any, kind: str) -> int:
    """Of a feed-forward layer or of the experts in its place, for one token."""
    C, F = config.width, config.hidden or 4 * config.width
    matrices = 3 if inside_of(kind)[1] else 2
    e = config.experts
    if e is None:
        return matrices * C * F
    return C * e.count + (e.active + e.shared) * matrices * C * (e.hidden or F)
