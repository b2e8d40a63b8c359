"""Whole models."""

from .gpt import GPT, GPTConfig
from .pretrained import storyteller

__all__ = ["GPT", "GPTConfig", "storyteller"]
