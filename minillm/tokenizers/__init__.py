"""Tokenizers: text to ids and back. See ``Tokenizer``."""

from .byte_bpe import ByteBPE
from .segments import Pieces
from .splitting import PATTERNS, split
from .stages import Characters, Join, JoinWords, Split
from .streaming import StreamDecoder
from .templates import Template
from .tokenizer import Explanation, Tokenizer
from .words import CharacterBPE, WordVocabulary

__all__ = [
    "PATTERNS", "ByteBPE", "CharacterBPE", "Characters", "Explanation", "Join", "JoinWords",
    "Pieces", "Split", "StreamDecoder", "Template", "Tokenizer", "WordVocabulary", "split",
]
