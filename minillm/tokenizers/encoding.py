"""A text as a model gets it, with the way back: tokens to characters and words, and round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .post_processors.lengths import Padding, Truncation
from .post_processors.templates import Row
from .rows import Batched, Text, check_texts, framed, rows_without_places
from .text.segments import many
from .vocabulary import Vocabulary

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Encoding:
    """The tokens of a text, or of a pair of texts.

    ids, type_ids (n,) int32. tokens: the text of each. offsets (n, 2): the characters that each
    comes from, (0, 0) for what was added. word_ids: which piece of the pre-tokenizer, or which of
    the words given, each is part of; sequence_ids: which of two texts; -1 for what was added, (n,)
    int32. attention_mask (n,) bool: False at padding. special_tokens_mask (n,) bool: True where
    the post-processor or padding put a token.
    """

    ids: np.ndarray
    type_ids: np.ndarray
    tokens: list[str]
    offsets: np.ndarray
    word_ids: np.ndarray
    sequence_ids: np.ndarray
    attention_mask: np.ndarray
    special_tokens_mask: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def token_to_chars(self, token: int) -> Span | None:
        """The characters that a token comes from; None if it was added."""
        if not 0 <= token < len(self):
            raise IndexError(f"token={token} is not one of the {len(self)} tokens, from 0")
        start, end = self.offsets[token].tolist()
        return None if self.sequence_ids[token] < 0 else (start, end)

    def char_to_token(self, character: int, sequence: int = 0) -> int | None:
        """The first token that a character is part of, or None."""
        inside = (self.offsets[:, 0] <= character) & (character < self.offsets[:, 1])
        return first(inside & (self.sequence_ids == sequence))

    def token_to_word(self, token: int) -> int | None:
        """The word that a token is part of; None if it was added."""
        if not 0 <= token < len(self):
            raise IndexError(f"token={token} is not one of the {len(self)} tokens, from 0")
        word = int(self.word_ids[token])
        return None if word < 0 else word

    def word_to_tokens(self, word: int, sequence: int = 0) -> Span | None:
        """The first token of a word and the one after its last, or None."""
        found = np.flatnonzero((self.word_ids == word) & (self.sequence_ids == sequence))
        return (int(found[0]), int(found[-1]) + 1) if len(found) else None

    def word_to_chars(self, word: int, sequence: int = 0) -> Span | None:
        """The characters of a word, or None."""
        tokens = self.word_to_tokens(word, sequence)
        if tokens is None:
            return None
        return int(self.offsets[tokens[0], 0]), int(self.offsets[tokens[1] - 1, 1])

    def char_to_word(self, character: int, sequence: int = 0) -> int | None:
        """The word that a character is part of, or None."""
        token = self.char_to_token(character, sequence)
        return None if token is None else self.token_to_word(token)


class Batch(NamedTuple):
    """Texts of one length: ids, type ids (B, T) int32; attention_mask (B, T), False at padding."""

    ids: np.ndarray
    type_ids: np.ndarray
    attention_mask: np.ndarray


def first(wanted: np.ndarray) -> int | None:
    """The first place that is true, or None."""
    found = np.flatnonzero(wanted)
    return int(found[0]) if len(found) else None


def encoding_of(row: Row, tokens: list[str]) -> Encoding:
    """What users see of a row."""
    return Encoding(
        row.ids, row.types, tokens, row.spans, row.words, row.texts, row.real, row.texts < 0
    )


def batch_of(rows: Sequence[Row], padding: Padding) -> Batch:
    """The rows as arrays; each must fit, so a `length` that one exceeds is an error."""
    lengths = [len(row.ids) for row in rows]
    target = padding.target(lengths)
    if max(lengths, default=0) > target:
        raise ValueError(
            f"padding has the length {target}, but a text has {max(lengths)} tokens; pass a "
            f"truncation to at most {target} tokens too"
        )
    full = [padding.fill(row, target) for row in rows]
    columns = [np.array([getattr(row, name) for row in full]).reshape(len(full), target)
               for name in ("ids", "types", "real")]
    return Batch(columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2].astype(bool))


def filled(row: Row, padding: Padding | None) -> Row:
    """A row by itself with its padding."""
    return row if padding is None else padding.fill(row, padding.target([len(row.ids)]))


def make_batch(
    tok: Vocabulary, texts: Iterable[Text], pairs: Iterable[Text] | None,
    truncation: Truncation | None, padding: Padding | None,
    encode: Callable[[list[str]], Batched], add: bool,
) -> Batch:
    """Texts, or pairs, of one length; see ``Tokenizer.batch``. encode: many texts at once."""
    firsts = list(many("texts", texts))
    seconds = [None] * len(firsts) if pairs is None else list(many("pairs", pairs))
    for name, value, kind in (
        ("truncation", truncation, Truncation), ("padding", padding, Padding)
    ):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name}={value!r:.60}; expected a {kind.__name__}, such as "
                            f"{kind.__name__}({'512' if name == 'truncation' else ''})")
    if len(seconds) != len(firsts):
        raise ValueError(f"pairs has {len(seconds)} texts for {len(firsts)} texts; expected "
                         "one for each")
    check_texts(*firsts, *seconds)
    padding = padding or tok.padding
    if padding is None:
        if tok.pad_id is None:
            raise ValueError("this tokenizer knows no padding token; pass "
                             "padding=Padding(pad_id=…) with the id to fill up with")
        padding = Padding(pad_id=tok.pad_id)
    each = [text for both in zip(firsts, seconds) for text in both if text is not None]
    rows = rows_without_places(each, encode)
    size, cut = 1 if pairs is None else 2, truncation or tok.truncation
    return batch_of([framed(tok, rows[k : k + size], add, cut)
                     for k in range(0, len(rows), size)], padding)
