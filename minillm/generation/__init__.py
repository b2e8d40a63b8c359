"""Choosing tokens from a model's scores, one after another."""

from .beam import beam_search, length_penalty
from .sampling import choose, distribution, penalize
from .token_by_token import Choice, generate, stream

__all__ = ["Choice", "beam_search", "choose", "distribution", "generate", "length_penalty",
           "penalize", "stream"]
