"""The Transformer of 2017: an encoder reads the source, a decoder writes the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..nn import FEED_FORWARDS, CrossCache, Experts, Init, LayerNorm, Linear, Stack, TiedLinear
from .given_source import GivenSource, translate
from .inputs import attended, check_cache, check_ids, check_rows, check_share, check_start
from .layers import Embedded, layer
from .model import Model, alone
from .settings import choices, parts_of_blocks, small_number, switches, whole_numbers

SCHEMES = ("sinusoidal", "learned", "none")


@dataclass(frozen=True)
class Seq2SeqConfig:
    """Sizes of a Seq2Seq; its parts are those of 2017 unless said otherwise.

    ``vocab_size`` (V) is the target's. source_vocab: size of the source's own vocabulary; if None,
    both share one and its table of embeddings. context: most tokens of a source and of a target.
    ``layers`` counts those of the encoder, and again of the decoder. ``hidden`` (F) is four times
    ``width`` (C) unless given. feed_forward: a name in FEED_FORWARDS; positions: one in SCHEMES.
    tied: the output layer is the target's table. dropout, experts: as of GPTConfig.
    """

    vocab_size: int
    context: int
    layers: int
    heads: int
    width: int
    hidden: int | None = None
    source_vocab: int | None = None
    norm_first: bool = False
    feed_forward: str = "relu"
    positions: str = "sinusoidal"
    tied: bool = True
    dropout: float = 0.0
    eps: float = 1e-5
    experts: Experts | None = None

    def __post_init__(self):
        whole_numbers(self, "vocab_size", "context", "layers", "heads", "width", "hidden",
                      "source_vocab", optional=("hidden", "source_vocab"))
        switches(self, "norm_first", "tied")
        choices(self, feed_forward=FEED_FORWARDS, positions=SCHEMES)
        small_number(self, "eps")
        parts_of_blocks(self)


class Seq2Seq(Model):
    """An encoder–decoder Transformer. Source: Vaswani et al. (2017).

    A batch is (source, target, labels) or (source, target, mask, labels), where the labels (B, T)
    are the target that the decoder is given, shifted left by one.
    """

    Config = Seq2SeqConfig
    decoder: Any  # a Stack, of CrossBlocks

    def build(self, config: Seq2SeqConfig, init: Init) -> None:
        c = config
        self.target = Embedded(c.vocab_size, c, init)
        table = self.target.tokens.w
        self.source = Embedded(c.source_vocab or c.vocab_size, c, init,
                               None if c.source_vocab else table)
        self.encoder = Stack([layer(c, init, c.feed_forward) for _ in range(c.layers)])
        self.decoder = Stack([layer(c, init, c.feed_forward, True) for _ in range(c.layers)])
        self.norms = [LayerNorm(c.width, init, c.eps) for _ in range(2 * c.norm_first)]
        self.output = TiedLinear(table, init, bias=False) if c.tied else Linear(
            c.width, c.vocab_size, init, c.width ** -0.5, bias=False)

    def encode(self, source, mask=None, drops=None):
        """The memory (B, S, C), one vector for each source token, and where it may be looked at.

        Both are borrowed; mask: see ``logits``.
        """
        c = self.config
        source = check_ids(source, c.context, 0, "source", c.source_vocab or c.vocab_size)
        attend, where = attended(mask, source.shape, "mask", "source")
        x = self.encoder(self.source(source, where, drops), attend, drops=drops)
        return self.norms[0](x) if self.norms else x, attend

    def logits(self, source, target, mask=None, *, drops=None):
        """Scores of what follows each target token: source (B, S), target (B, T) -> (B, T, V).

        ``mask`` (B, S) is True at real tokens of the source and False at padding, as of GPT;
        padding of the target stands at the right, where no real token looks. drops: as of GPT.
        Raises ValueError for ids, numbers of rows or a mask that do not fit.
        """
        c = self.config
        target = check_ids(target, c.context, 0, "target", c.vocab_size)
        check_rows(source=source, target=target)
        self.memory, attend = self.encode(source, mask, drops)
        x = self.target(target, np.arange(target.shape[1]), drops)
        x = self.decoder(x, memory=self.memory, memory_mask=attend, drops=drops)
        return self.output(self.norms[1](x) if self.norms else x)

    def logits_backward(self, dlogits):
        dx = self.output.backward(dlogits)
        dmemory = np.zeros_like(self.memory)
        self.target.backward(self.decoder.backward(
            self.norms[1].backward(dx) if self.norms else dx, dmemory))
        self.source.backward(self.encoder.backward(
            self.norms[0].backward(dmemory) if self.norms else dmemory))

    def given(self, source, mask=None) -> GivenSource:
        """The decoder with a source in mind, or one for each row: what beam_search searches."""
        return GivenSource(self, source, mask)

    def generate(self, source, max_new_tokens: int, start: int, stop=(), beams: int = 1,
                 alpha: float = 0.0, cache: bool = True):
        """The target of one source, or of each in a list of them; see given_source.translate."""
        return translate(self, source, max_new_tokens, start, stop, beams, alpha, cache)

    @alone
    def new_cache(self, source, mask=None, batch: int | None = None) -> list[CrossCache]:
        """Reads the source: a part for each layer of the decoder, with no target token yet.

        batch: rows of the target, which the sources share evenly; one for each if None.
        """
        self.dlogits = None
        memory, attend = self.encode(source, mask)
        rows = check_share(len(memory) if batch is None else batch, len(memory))
        parts = self.decoder.new_cache(rows, self.config.context, memory.dtype)
        return [block.cache(part, memory, attend)
                for part, block in zip(parts, self.decoder, strict=True)]

    @alone
    def extend(self, ids, cache: list[CrossCache], start=None):
        """Logits after the last of some new target tokens: ids (B, T) -> (B, V); as of GPT."""
        length = cache[0].length if cache else 0
        ids = check_ids(ids, self.config.context, length)
        B, T = ids.shape
        expected = self.decoder[0].attention.cache_shape(B, self.config.context)
        check_cache(cache, len(self.decoder), expected, f"new_cache(source, batch={B})")
        start = check_start(start, B, length + T)
        self.dlogits = None
        where = np.maximum(np.arange(length, length + T) - start[:, None], 0)
        x = self.decoder.extend(self.target(ids, where), cache, start)[:, -1]
        return self.output(self.norms[1](x) if self.norms else x)

    @alone
    def alignment(self, source, target, mask=None, layer: int = -1):
        """How much each target token takes from each source token, in a layer: (B, H, T, S)."""
        self.forward(source, target, mask)
        return self.decoder[layer].cross.weights()
