"""A convolutional language model: each token sees a fixed number of those before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..nn import GatedConvolution, Init, Module
from .one_way import OneWay, OneWayConfig


@dataclass(frozen=True)
class CNNConfig(OneWayConfig):
    """Sizes of a CNN; see OneWayConfig.

    kernel: positions that a layer sees (K). dilation: layer i leaves gaps of dilationⁱ between
    them, so that with 2 the receptive field doubles from layer to layer; with 1 there are none.
    """

    kernel: int = 3
    dilation: int = 2

    whole: ClassVar[tuple[str, ...]] = (*OneWayConfig.whole, "kernel", "dilation")

    @property
    def receptive_field(self) -> int:
        """How many tokens, its own included, a position of the last layer sees."""
        return 1 + (self.kernel - 1) * sum(self.dilation**i for i in range(self.layers))


class CNN(OneWay):
    """Causal convolutions with gates and a residual stream, WaveNet's layer on tokens.

    A gate, not ReLU: it multiplies what two convolutions find, as the LSTM's do, so that one
    position can decide whether another counts; van den Oord et al. found it better throughout, and
    Dauphin et al. (2017) for language.
    Sources: van den Oord et al. (2016), WaveNet, section 2; Dauphin et al. (2017), section 2.
    """

    Config = CNNConfig

    def layer(self, config: CNNConfig, init: Init, i: int) -> Module:
        c = config
        return GatedConvolution(c.width, init, c.kernel, c.dilation**i,
                                out_std=(c.width * c.layers)**-0.5)
