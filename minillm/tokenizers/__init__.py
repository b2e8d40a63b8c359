"""Tokenizers: text to ids and back. See ``Tokenizer``."""

from .bpe.byte_bpe import ByteBPE
from .bpe.character_bpe import CharacterBPE
from .bytepiece.best_cut import BytePiece
from .decoders.joining import Join, JoinMarked, JoinWordPieces, JoinWords
from .decoders.streaming import StreamDecoder
from .encoding import Batch, Encoding
from .normalizers.bert import BertNormalizer
from .normalizers.rewriting import InTurn, Lowercase, Replace, Strip, StripAccents
from .normalizers.unicode_forms import UnicodeForm
from .patterns.named_rules import PATTERNS
from .post_processors.lengths import Padding, Truncation
from .post_processors.templates import Template
from .pre_tokenizers.behaviors import Cut
from .pre_tokenizers.bert import BertSplit
from .pre_tokenizers.in_turn import CutInTurn
from .pre_tokenizers.metaspace import Metaspace
from .pre_tokenizers.split_rules import Characters, Split, split
from .special_tokens import TokenRule
from .text.segments import Pieces
from .tokenizer import Explanation, Tokenizer
from .unigram.most_probable import Unigram
from .word.vocabulary import WordVocabulary
from .wordpiece.longest_match import WordPiece

__all__ = [
    "PATTERNS", "Batch", "BertNormalizer", "BertSplit", "ByteBPE", "BytePiece", "CharacterBPE",
    "Characters", "Cut", "CutInTurn", "Encoding", "Explanation", "InTurn", "Join", "JoinMarked",
    "JoinWordPieces", "JoinWords", "Lowercase", "Metaspace", "Padding", "Pieces", "Replace",
    "Split", "StreamDecoder", "Strip", "StripAccents", "Template", "TokenRule", "Tokenizer",
    "Truncation", "UnicodeForm", "Unigram", "WordPiece", "WordVocabulary", "split",
]
