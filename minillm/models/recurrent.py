"""Recurrent language models: one state, which every token changes in turn."""

from __future__ import annotations

from ..nn import Elman, Init, LongShortTerm, Module
from .one_way import OneWay, OneWayConfig


class RecurrentConfig(OneWayConfig):
    """Sizes of an RNN or LSTM; see OneWayConfig. ``width`` is that of the states too."""


class RNN(OneWay):
    """Elman's network, with the embedding and the output of a language model.

    Sources: Elman (1990); Mikolov et al. (2010).
    """

    Config = RecurrentConfig

    def layer(self, config: RecurrentConfig, init: Init, i: int) -> Module:
        return Elman(config.width, config.width, init)


class LSTM(OneWay):
    """The same with long short-term memory, which can keep a number for many steps.

    Sources: Hochreiter & Schmidhuber (1997); Gers et al. (2000); Zaremba et al. (2014).
    """

    Config = RecurrentConfig

    def layer(self, config: RecurrentConfig, init: Init, i: int) -> Module:
        return LongShortTerm(config.width, config.width, init)
