"""Whole models; ``Model`` is what each of them is."""

from .gpt import GPT, GPTConfig
from .model import KINDS, Model
from .pretrained import storyteller

__all__ = ["GPT", "KINDS", "GPTConfig", "Model", "storyteller"]
