"""A text as a model gets it, with the way back: tokens to characters and words, and round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .bpe.byte_bpe import ByteBPE
from .normalizers.alignment import through
from .post_processors.lengths import Padding, Truncation
from .post_processors.templates import Row, Template, TrimOffsets, spaces_around
from .special_tokens import Special
from .text.byte_alphabet import bytes_to_characters
from .text.segments import Pieces, character_offsets, is_raw
from .vocabulary import Vocabulary

Span = tuple[int, int]
Text = str | Sequence[str]  # a text, or its words


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


def row_of(tok: Vocabulary, text: str, special: Special) -> Row:
    """The tokens of one text, without what the post-processor does."""
    rows, position, words = [], 0, 0
    stages = getattr(tok.post_processor, "steps", [tok.post_processor])
    trims = any(isinstance(stage, TrimOffsets) for stage in stages)
    for part in tok._finder.parts(text, special):
        if isinstance(part, str):
            pieces, back = cut(tok, part)
            ids, spans = tok.model(pieces)
            word = words + np.searchsorted(pieces.spans[:, 0], spans[:, 0], "right") - 1
            words += len(pieces.spans)
            spans = back(spans)
            if is_raw(part):
                spans = spans + position
                position += len(part)
            names = [spelled(tok, id) for id in ids.tolist()] if trims else []
        else:
            ids, spans, position = np.array(part[:1], np.int32), np.array([part[1:]]), part[2]
            names, word = [text[part[1] : part[2]]] * trims, np.array([words])
            words += 1
        spaces = np.zeros((len(ids), 2), np.int64)
        if names:
            spaces[:] = [spaces_around(name) for name in names]
        zero = np.zeros(len(ids), np.int32)
        rows.append(Row(ids, zero, spans, spaces, word.astype(np.int32), zero, zero == 0))
    return Row.joined(rows)


def row_of_words(tok: Vocabulary, words: Sequence[str], special: Special) -> Row:
    """The tokens of words that are cut already; spans are those in the word of each token."""
    rows = [row_of(tok, word, special) for word in words]
    return Row.joined([
        row._replace(words=np.full(len(row.ids), k, np.int32)) for k, row in enumerate(rows)
    ])


def framed(
    tok: Vocabulary, rows: list[Row], add: bool = True, truncation: Truncation | None = None,
) -> Row:
    """One row from those of a text or of two: truncated and post-processed.

    add: let the post-processor add its special tokens.
    """
    rows = [row._replace(texts=np.full(len(row.ids), k, np.int32)) for k, row in enumerate(rows)]
    stage = tok.post_processor
    if stage is not None and not hasattr(stage, "place"):
        raise TypeError(f"post_processor={stage!r} has no method place(rows), which finding "
                        "places in the original text and pairs need; see Template")
    if truncation is not None:
        empty = [row.part(slice(0)) for row in rows]
        added = len(stage.place(empty, add)[0].ids) if stage is not None else 0
        kept = truncation.keep([len(row.ids) for row in rows], added)
        rows = [row.part(some) for row, some in zip(rows, kept)]
    if stage is not None:
        rows = stage.place(rows, add)
    return rows[0] if len(rows) == 1 else Template().place(rows)[0]


def row_of_both(
    tok: Vocabulary, text: Text, pair: Text | None, special: Special, add: bool,
    truncation: Truncation | None = None,
) -> Row:
    """The tokens of a text or of two, truncated and post-processed."""
    for part in (text, pair):
        words = isinstance(part, list | tuple) and all(isinstance(word, str) for word in part)
        if not (part is None or isinstance(part, str) or words):
            raise TypeError(f"text={part!r:.60} is a {type(part).__name__}; expected str, or a "
                            "list of words")
    rows = [
        row_of(tok, part, special) if isinstance(part, str) else row_of_words(tok, part, special)
        for part in (text, pair) if part is not None
    ]
    return framed(tok, rows, add, truncation or tok.truncation)


def filled(row: Row, padding: Padding | None) -> Row:
    """A row by itself with its padding."""
    return row if padding is None else padding.fill(row, padding.target([len(row.ids)]))


def spelled(tok: Vocabulary, id: int) -> str:
    """An id of the model as it stands in a file: in the byte alphabet where it works on bytes."""
    data = tok.id_to_bytes(id)
    in_bytes = isinstance(tok.model, ByteBPE)
    return bytes_to_characters(data) if in_bytes else data.decode("utf-8", "replace")


def cut(
    tok: Vocabulary, text: str
) -> tuple[Pieces, Callable[[np.ndarray], np.ndarray]]:
    """The pieces of a part of a text, and the way from byte spans in them to characters of it.

    Of a part that is normalized already: to characters of the whole text.
    """
    pre_tokenizer: Any = tok.pre_tokenizer
    if hasattr(tok.normalizer, "original") and is_raw(text) and pre_tokenizer is None:
        return tok._pieces(text), partial(tok.normalizer.original, text)
    normal, sources = tok._aligned(text)

    def back(spans: np.ndarray) -> np.ndarray:
        seen, origin = normal, sources
        if hasattr(pre_tokenizer, "aligned"):
            seen, found = pre_tokenizer.aligned(normal)
            origin = found if sources is None else through(sources, found)
        spans = character_offsets(seen, spans)
        return spans if origin is None else through(origin, spans)

    return tok._cut(normal), back
