"""Choosing tokens from a model's scores, one after another."""

from .beam import beam_search
from .generate import generate, stream
from .sampling import choose, distribution, penalize

__all__ = ["beam_search", "choose", "distribution", "generate", "penalize", "stream"]
