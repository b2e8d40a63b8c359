"""Whole models; ``Model`` is what each of them is."""

from . import fast_decoding as fast_decoding  # which makes itself known to generation
from .checkpoints import Checkpoint, load_checkpoint, load_model, save_checkpoint
from .convolutional import CNN, CNNConfig
from .gpt import GPT, GPTConfig
from .model import KINDS, Model
from .pretrained import storyteller
from .recurrent import LSTM, RNN, RecurrentConfig
from .word2vec import Word2Vec, Word2VecConfig

__all__ = [
    "CNN", "GPT", "KINDS", "LSTM", "RNN", "CNNConfig", "Checkpoint", "GPTConfig", "Model",
    "RecurrentConfig", "Word2Vec", "Word2VecConfig", "load_checkpoint", "load_model",
    "save_checkpoint", "storyteller",
]
