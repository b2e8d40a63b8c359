"""Whole models; ``Model`` is what each of them is."""

from . import fast_decoding as fast_decoding  # which makes itself known to generation
from .bert import BERT, BERTConfig, BERTEncoder
from .bert_classifier import BERTClassifier, BERTClassifierConfig
from .checkpoints import Checkpoint, load_checkpoint, load_model, save_checkpoint
from .gpt import GPT, GPTConfig
from .model import KINDS, Model
from .pretrained import storyteller
from .seq2seq import Seq2Seq, Seq2SeqConfig
from .vit import ViT, ViTConfig

__all__ = [
    "BERT", "GPT", "KINDS", "BERTClassifier", "BERTClassifierConfig", "BERTConfig",
    "BERTEncoder", "Checkpoint", "GPTConfig", "Model", "Seq2Seq", "Seq2SeqConfig", "ViT",
    "ViTConfig", "load_checkpoint", "load_model", "save_checkpoint", "storyteller",
]
