"""The model whose tokens are whole pieces, words or characters, and its two trainers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..counting.distinct_pieces import blocks, strings, word_counts
from ..counting.vocabulary_room import (
    Texts,
    check_vocab_size,
    most_frequent,
    numbered,
    unknown_id,
    with_unknown,
    without_specials,
)
from ..pre_tokenizers.split_rules import Characters, Split
from ..stages import Stages
from ..text.segments import Pieces, texts_of, unknown


@dataclass(eq=False)
class WordVocabulary:
    """Each piece is looked up whole; one that is not there becomes `unk_id`."""

    vocabulary: list[bytes | None]
    unk_id: int | None = None

    def __post_init__(self) -> None:
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the pieces and their byte spans (n, 2)."""
        ids = []
        for piece, start, _ in texts_of(pieces):
            id = self.ids.get(piece.encode(), self.unk_id)
            if id is None:
                raise unknown(piece, start)
            ids.append(id)
        return np.array(ids, np.int32), pieces.spans.astype(np.int64)


WORDS = r"""[,.:;?_!"()']|--|\s|(?:(?![,.:;?_!"()']|--|\s)[\s\S])+"""


def train_char(
    texts: Texts, vocab_size: int | None = None, special_tokens: Sequence[str] = (),
    unk_token: str | None = None,
) -> Stages:
    """Every character is a token; the vocabulary is sorted by code point."""
    counts: Counter[str] = Counter()
    for data, _ in blocks(texts):
        counts.update(data.tobytes().decode())
    specials = with_unknown(special_tokens, unk_token)
    alphabet = sorted(counts)
    if vocab_size is not None:
        least = len(specials) + (len(alphabet) if unk_token is None else 1)
        check_vocab_size(
            vocab_size, least, f"{len(alphabet)} characters and {len(specials)} special tokens; "
            "a smaller one needs unk_token="
        )
        alphabet = sorted(most_frequent(counts, vocab_size - len(specials)))
    tokens = [token.encode() for token in [*specials, *alphabet]]
    model = WordVocabulary(without_specials(tokens, specials), unknown_id(specials, unk_token))
    return Stages(model, pre_tokenizer=Characters(), special_tokens=numbered(specials))


def train_word(
    texts: Texts, vocab_size: int | None = None, special_tokens: Sequence[str] = (),
    unk_token: str | None = "<|unk|>", pattern: str = WORDS,
) -> Stages:
    """Words, marks and white space characters are tokens, the most frequent first.

    White space is kept, each character a token of its own, so that known text decodes exactly.
    """
    data, offsets, counts = word_counts(texts, pattern)
    table = Counter(dict(zip(strings(data, offsets), counts.tolist())))
    specials = with_unknown(special_tokens, unk_token)
    if vocab_size is not None:
        check_vocab_size(vocab_size, len(specials) + 1, "special tokens and one word")
    room = len(table) if vocab_size is None else vocab_size - len(specials)
    words = [word for word in most_frequent(table, room) if word not in specials]
    tokens = [token.encode() for token in [*specials, *words]]
    model = WordVocabulary(without_specials(tokens, specials), unknown_id(specials, unk_token))
    split = Split(pattern, "keep")
    return Stages(model, pre_tokenizer=split, special_tokens=numbered(specials))
