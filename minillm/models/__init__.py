"""Whole models; ``Model`` is what each of them is."""

from . import fast_decoding as fast_decoding  # which makes itself known to generation
from .arithmetic import multiplications
from .bert import BERT, BERTConfig, BERTEncoder
from .bert_classifier import BERTClassifier, BERTClassifierConfig
from .checkpoints import Checkpoint, load_checkpoint, load_model, save_checkpoint
from .convolutional import CNN, CNNConfig
from .gpt import GPT, GPTConfig
from .model import KINDS, Model
from .pretrained import gap_filler, storyteller, translator
from .recurrent import LSTM, RNN, RecurrentConfig
from .seq2seq import Seq2Seq, Seq2SeqConfig
from .vit import ViT, ViTConfig
from .word2vec import Word2Vec, Word2VecConfig

__all__ = [
    "BERT", "CNN", "GPT", "KINDS", "LSTM", "RNN", "BERTClassifier", "BERTClassifierConfig",
    "BERTConfig", "BERTEncoder", "CNNConfig", "Checkpoint", "GPTConfig", "Model", "RecurrentConfig",
    "Seq2Seq", "Seq2SeqConfig", "ViT", "ViTConfig", "Word2Vec", "Word2VecConfig", "gap_filler",
    "load_checkpoint", "load_model", "multiplications", "save_checkpoint", "storyteller",
    "translator",
]
