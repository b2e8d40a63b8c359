"""Choosing tokens from a model's scores, one after another."""

from .generate import generate, stream
from .sampling import choose, distribution

__all__ = ["choose", "distribution", "generate", "stream"]
