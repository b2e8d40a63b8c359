"""What the language models without attention share: tokens in, layers, scores of the next out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..nn import Dropout, Embedding, Init, Linear, TiedLinear
from ..nn.dropping import check_rate
from .inputs import check_ids
from .model import Model, alone
from .settings import switches, whole_numbers


@dataclass(frozen=True)
class OneWayConfig:
    """Sizes of a language model that reads from left to right.

    width: of the token vectors, the layers and what lies between them (C). tied: the output layer
    is the token embedding. dropout: share of the embeddings and of what each layer gives that is
    dropped in training.
    """

    vocab_size: int
    context: int
    layers: int
    width: int
    tied: bool = True
    dropout: float = 0.0

    whole: ClassVar[tuple[str, ...]] = ("vocab_size", "context", "layers", "width")

    def __post_init__(self):
        whole_numbers(self, *self.whole)
        switches(self, "tied")
        object.__setattr__(self, "dropout", check_rate(self.dropout))


class OneWay(Model):
    """Token embedding, layers, output. A subclass says what a layer is.

    Dropout is applied between layers, never from one position to the next (Zaremba et al., 2014).
    """

    def layer(self, config: Any, init: Init, i: int) -> Any:
        """Layer i: (B, T, C) -> (B, T, C), no position of which sees a later one."""
        raise TypeError(f"{type(self).__name__} has no layer(config, init, i)")

    def build(self, config: Any, init: Init) -> None:
        c = config
        self.tokens = Embedding(c.vocab_size, c.width, init, std=c.width**-0.5)
        self.blocks = [self.layer(c, init, i) for i in range(c.layers)]
        self.drops_after = [Dropout(c.dropout) for _ in range(c.layers + 1)]
        self.output = (TiedLinear(self.tokens.w, init, bias=False) if c.tied else
                       Linear(c.width, c.vocab_size, init, bias=False))

    def logits(self, ids, *, drops=None):
        """Scores of every possible next token: ids (B, T) -> logits (B, T, V), borrowed.

        Padding belongs at the right, where no token sees it. Raises ValueError for ids outside the
        vocabulary, or more of them than the context holds.
        """
        x = self.drops_after[0](self.tokens(check_ids(ids, self.config.context)), drops)
        for layer, dropout in zip(self.blocks, self.drops_after[1:], strict=True):
            x = dropout(layer(x), drops)
        self.h = x
        return self.output(x)

    def logits_backward(self, dlogits):
        dx = self.output.backward(dlogits)
        for layer, dropout in zip(reversed(self.blocks), reversed(self.drops_after), strict=False):
            dx = layer.backward(dropout.backward(dx))
        self.tokens.backward(self.drops_after[0].backward(dx))

    @alone
    def hidden(self, ids):
        """The vector of each token in its text, from the last layer: (B, T) -> (B, T, C)."""
        self.forward(ids)
        return self.h.copy()

    def generate(self, prompt_ids, max_new_tokens, temperature=1.0, top_k=None, top_p=None,
                 seed=0, stop=()):
        """Continue one prompt, or a list of prompts; see :func:`minillm.generation.generate`.

        Nothing is kept from token to token: each reads what is seen of the text once more.
        """
        from ..generation import generate

        return generate(self, prompt_ids, max_new_tokens, temperature, top_k, top_p, seed, stop)
