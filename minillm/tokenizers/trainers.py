"""The trainers by the name of their model.

Each is a function ``(texts, vocab_size, special_tokens, **options)`` that gives the ``Stages`` of a
Tokenizer.
"""

from collections.abc import Callable

from .bpe.training import train_bpe_model, train_byte_bpe
from .bytepiece.training import train_bytepiece
from .sentencepiece.training import train_sentencepiece
from .stages import Stages
from .unigram.training import train_unigram
from .word.vocabulary import train_char, train_word
from .wordpiece.training import train_wordpiece

TRAINERS: dict[str, Callable[..., Stages]] = {
    "char": train_char,
    "word": train_word,
    "bpe": train_bpe_model,
    "byte_bpe": train_byte_bpe,
    "wordpiece": train_wordpiece,
    "unigram": train_unigram,
    "sentencepiece": train_sentencepiece,
    "bytepiece": train_bytepiece,
}
