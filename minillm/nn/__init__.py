"""Modules: parameters and memory around :mod:`minillm.ops`.

``forward`` keeps what ``backward`` needs; ``backward(dy)`` returns the gradient of the input and
adds into each parameter's ``grad``. Outputs are *borrowed*: they live in the module's buffers and
hold until its next ``forward`` (gradients: until its next ``backward``). Copy what must last.
"""

from .attention import KeyValueCache, SelfAttention
from .block import Block
from .feed_forward import FeedForward
from .layers import Embedding, LayerNorm, Linear
from .module import Module, Parameter, flatten, share_scratch

__all__ = [
    "Block", "Embedding", "FeedForward", "KeyValueCache", "LayerNorm", "Linear", "Module",
    "Parameter", "SelfAttention", "flatten", "share_scratch",
]
