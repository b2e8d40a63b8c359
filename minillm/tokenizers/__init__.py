"""Tokenizers: text to ids and back. See ``Tokenizer``."""

from .bert import BertNormalizer, BertSplit
from .byte_bpe import ByteBPE
from .bytepiece import BytePiece
from .cutting import Cut
from .cutting_in_turn import CutInTurn
from .encoding import Batch, Encoding
from .lengths import Padding, Truncation
from .metaspace import JoinMarked, Metaspace
from .normalizing import InTurn, Lowercase, Replace, Strip, StripAccents, UnicodeForm
from .segments import Pieces
from .special_tokens import TokenRule
from .splitting import PATTERNS, split
from .stages import Characters, Join, JoinWords, Split
from .streaming import StreamDecoder
from .templates import Template
from .tokenizer import Explanation, Tokenizer
from .unigram import Unigram
from .wordpiece import JoinWordPieces, WordPiece
from .words import CharacterBPE, WordVocabulary

__all__ = [
    "PATTERNS", "Batch", "BertNormalizer", "BertSplit", "ByteBPE", "BytePiece", "CharacterBPE",
    "Characters", "Cut", "CutInTurn", "Encoding", "Explanation", "InTurn", "Join", "JoinMarked",
    "JoinWordPieces", "JoinWords", "Lowercase", "Metaspace", "Padding", "Pieces", "Replace",
    "Split", "StreamDecoder", "Strip", "StripAccents", "Template", "TokenRule", "Tokenizer",
    "Truncation", "UnicodeForm", "Unigram", "WordPiece", "WordVocabulary", "split",
]
