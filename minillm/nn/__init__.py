"""Modules: parameters and memory around :mod:`minillm.ops`.

``forward`` keeps what ``backward`` needs; ``backward(dy)`` returns the gradient of the input and
adds into each parameter's ``grad``. Outputs are *borrowed*: they live in the module's buffers and
hold until its next ``forward`` (gradients: until its next ``backward``). Copy what must last.
"""

from .attention import Attention, CrossCache, KeyValueCache
from .block import Block, CrossBlock, Stack
from .convolution import Convolution, GatedConvolution
from .dropping import Dropout, Drops
from .experts import Experts, MixtureOfExperts, feed_forward_or_experts, rebalance
from .feed_forward import FEED_FORWARDS, FeedForward, GatedFeedForward
from .layers import Embedding, Linear, TiedLinear
from .module import Module, flatten, in_order, parameters_of, share_scratch
from .norms import NORMS, LayerNorm, RMSNorm
from .parameters import Init, Parameter, Shapes
from .positions import POSITIONS, Alibi, Learned, NoPositions, Rotary, Sinusoidal
from .recurrent import Elman, LongShortTerm, gradient_norms

__all__ = [
    "FEED_FORWARDS", "NORMS", "POSITIONS", "Alibi", "Attention", "Block", "Convolution",
    "CrossBlock", "CrossCache", "Dropout", "Drops", "Elman", "Embedding", "Experts", "FeedForward",
    "GatedConvolution", "GatedFeedForward", "Init", "KeyValueCache", "LayerNorm", "Learned",
    "Linear", "LongShortTerm", "MixtureOfExperts", "Module", "NoPositions", "Parameter", "RMSNorm",
    "Rotary", "Shapes", "Sinusoidal", "Stack", "TiedLinear", "feed_forward_or_experts", "flatten",
    "gradient_norms", "in_order", "parameters_of", "rebalance", "share_scratch",
]
