"""BERT: an encoder whose positions see one another, trained to fill in what was masked."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .. import ops
from ..nn import Dropout, Embedding, Experts, Init, LayerNorm, Learned, Linear, Stack, TiedLinear
from .inputs import attended, check_ids
from .layers import layer
from .model import Model, alone
from .settings import parts_of_blocks, small_number, switches, whole_numbers


@dataclass(frozen=True)
class BERTConfig:
    """Sizes of a BERT. ``hidden`` (F) is four times ``width`` (C) unless given.

    types: kinds of segments, such as first and second sentence. norm_first: norms before the parts
    of a block, and one at the end, instead of after them. dropout, experts: as of GPTConfig.
    eps: what norms add to the variance.
    """

    vocab_size: int
    context: int
    layers: int
    heads: int
    width: int
    hidden: int | None = None
    types: int = 2
    norm_first: bool = False
    dropout: float = 0.0
    eps: float = 1e-12
    experts: Experts | None = None

    def __post_init__(self):
        whole_numbers(self, "vocab_size", "context", "layers", "heads", "width", "hidden", "types",
                      optional=("hidden",))
        switches(self, "norm_first")
        small_number(self, "eps")
        parts_of_blocks(self)


class BERTEncoder(Model):
    """A vector for each token, which knows all others: what every BERT begins with.

    The sum of a token's, its position's and its segment's vector is normalized, then goes through
    a stack of blocks. By itself it has no loss. Source: Devlin et al. (2019), section 3.
    """

    Config = BERTConfig

    def build(self, config: BERTConfig, init: Init) -> None:
        c = config
        self.tokens = Embedding(c.vocab_size, c.width, init)
        self.positions = Learned(c.context, c.width, init, 0.02)
        self.types = Embedding(c.types, c.width, init)
        self.norm = LayerNorm(c.width, init, c.eps)
        self.dropout = Dropout(c.dropout)
        self.blocks = Stack([layer(c, init, "gelu_exact") for _ in range(c.layers)])
        self.last = LayerNorm(c.width, init, c.eps) if c.norm_first else None

    def encode(self, ids, mask=None, types=None, drops=None):
        """The vectors (B, T, C) of ids (B, T), borrowed, and which are of real tokens (B, T).

        mask, drops: as of GPT, except that every position sees all real tokens; types: (B, T) kinds
        of segments, 0 if None. Raises ValueError for ids, types or a mask that do not fit.
        """
        c = self.config
        ids = check_ids(ids, c.context, 0, "ids", c.vocab_size)
        attend, where = attended(mask, ids.shape)
        types = np.zeros_like(ids) if types is None else check_ids(types, c.context, 0, "types",
                                                                   c.types)
        if types.shape != ids.shape:
            raise ValueError(f"types has shape {types.shape}, but ids {ids.shape}; expected the "
                             "same")
        x = self.positions.embed(self.tokens(ids), where)
        x += self.types(types)
        x = self.blocks(self.dropout(self.norm(x), drops), attend, drops=drops)
        x = x if self.last is None else self.last(x)
        return x, np.ones(ids.shape, bool) if attend is None else attend[:, 0, 0]

    def encode_backward(self, dx) -> None:
        """Add to ``grads``, given the gradient of the loss by the vectors."""
        dx = dx if self.last is None else self.last.backward(dx)
        dx = self.norm.backward(self.dropout.backward(self.blocks.backward(dx)))
        self.positions.embed_backward(dx)
        self.types.backward(dx)
        self.tokens.backward(dx)

    @alone
    def vectors(self, ids, mask=None, types=None):
        """A vector for each token: ids (B, T) -> (B, T, C), the caller's own; see ``encode``."""
        self.dlogits = None
        return self.encode(ids, mask, types)[0].copy()

    @alone
    def sentence_vectors(self, ids, mask=None, types=None, unit: bool = False):
        """One vector for each row, the mean over its real tokens: ids (B, T) -> (B, C).

        ``unit`` scales it to length 1, so that products of two are cosines. A row of padding alone
        gets zeros. Source: Reimers & Gurevych (2019), section 3.
        """
        self.dlogits = None
        x, real = self.encode(ids, mask, types)
        mean = (x * real[..., None]).sum(axis=1) / np.maximum(real.sum(axis=1), 1)[:, None]
        if unit:
            mean /= np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-12)
        return mean.astype(x.dtype)

    def take(self, other: BERTEncoder) -> None:
        """Begin with another's encoder: fine-tuning goes on from what it has learned."""
        if not isinstance(other, BERTEncoder):
            raise TypeError(f"other is a {type(other).__name__}; expected a BERT")
        mine, theirs = (BERTConfig(**{
            field.name: getattr(c, field.name) for field in fields(BERTConfig)
            if field.name != "dropout"} | {"hidden": c.hidden or 4 * c.width})
            for c in (self.config, other.config))
        if mine != theirs:
            raise ValueError(f"other has the sizes {theirs}, but this model {mine}; expected the "
                             "same encoder")
        values = dict(other.named_parameters())
        own = dict(self.named_parameters())
        for name in BERTEncoder.shapes(mine):
            own[name].value = values[name].value


class BERT(BERTEncoder):
    """The masked language model: which token stood here? A batch is (ids, labels), (ids, mask,
    labels) or (ids, mask, types, labels); data.masking makes them. Source: Devlin et al. (2019),
    section 3.1; the head is that of its code."""

    Config = BERTConfig

    def build(self, config: BERTConfig, init: Init) -> None:
        super().build(config, init)
        self.dense = Linear(config.width, config.width, init, config.width ** -0.5)
        self.head_norm = LayerNorm(config.width, init, config.eps)
        self.output = TiedLinear(self.tokens.w, init)

    def logits(self, ids, mask=None, types=None, *, drops=None):
        """Scores of what each token may have been: ids (B, T) -> (B, T, V); see ``encode``."""
        self.h = self.dense(self.encode(ids, mask, types, drops)[0])
        active = self.saved("active", self.h.shape, self.h.dtype)
        return self.output(self.head_norm(ops.gelu_exact(self.h, out=active)))

    def logits_backward(self, dlogits):
        dh = self.head_norm.backward(self.output.backward(dlogits))
        self.encode_backward(self.dense.backward(ops.gelu_exact_backward(dh, self.h, out=dh)))
