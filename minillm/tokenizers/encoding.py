"""A text as a model gets it, with the way back: tokens to characters and words, and round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .bpe.byte_bpe import ByteBPE
from .places import located
from .post_processors.lengths import Padding, Truncation
from .post_processors.templates import Row, Template, TrimOffsets, spaces_around
from .special_tokens import Special
from .text.byte_alphabet import bytes_to_characters
from .text.segments import is_raw
from .vocabulary import Vocabulary

Batched = tuple[np.ndarray, np.ndarray]  # ids of many texts, and where each ends
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


class Parts(NamedTuple):
    """What texts consist of: raw text, and behind each part of it a special token or the end.

    starts (p,): where a part begins in its text. ids (p,): of the tokens, -1 at the end of a text.
    spans (p, 2): their characters.
    """

    raw: list[str]
    starts: np.ndarray
    ids: np.ndarray
    spans: np.ndarray


def parts_of(tok: Vocabulary, texts: Sequence[str], special: Special) -> Parts:
    """The texts cut at their special tokens."""
    tok._finder.check_mode(special)
    placed = bool(getattr(tok.pre_tokenizer, "needs_place", False))
    simple = tok._finder.split_all(list(texts), special, placed)
    if simple is None:
        return parts_by_text(tok, texts, special)
    raw, tokens = simple
    ids = tok._finder.ids_of(tokens)
    sizes = np.fromiter(map(len, raw), np.int64, len(raw))
    both = sizes + np.fromiter((len(token or "") for token in tokens), np.int64, len(raw))
    ends = np.cumsum(both)  # of the token behind each part
    last = np.flatnonzero(ids < 0)
    before = np.concatenate([[0], ends[last]])[:-1]  # of each text
    ends -= np.repeat(before, np.diff(last, prepend=-1))
    starts = ends - both
    return Parts(raw, starts, ids, np.stack([starts + sizes, ends], 1))


def parts_by_text(tok: Vocabulary, texts: Sequence[str], special: Special) -> Parts:
    """The same, with all rules that tokens may have."""
    raw: list[str] = []
    starts, ids, spans = [], [], []
    for text in texts:
        position, waiting = 0, None
        for part in [*tok._finder.parts(text, special), (-1, len(text), len(text))]:
            if isinstance(part, str):
                waiting = part
                continue
            raw.append("" if waiting is None else waiting)
            starts.append(position if is_raw(raw[-1]) else 0)
            ids.append(part[0])
            spans.append(part[1:])
            position, waiting = part[2], None
    return Parts(raw, np.array(starts, np.int64), np.array(ids, np.int32),
                 np.array(spans, np.int64).reshape(-1, 2))


def rows_of(tok: Vocabulary, texts: Sequence[str], special: Special) -> list[Row]:
    """The tokens of each text, without what the post-processor does."""
    parts = parts_of(tok, texts, special)
    found = located(tok, parts.raw)
    real = parts.ids >= 0
    after = np.cumsum(found.tokens + real)  # tokens up to the end of each part
    special_at = after[real] - 1
    plain = np.ones(len(found.ids) + len(special_at), bool)
    plain[special_at] = False
    last = np.flatnonzero(~real)  # part of each text
    pieces = np.cumsum(found.pieces + real) - found.pieces - real  # before each part
    pieces -= np.repeat(pieces[np.concatenate([[0], last + 1])[:-1]], np.diff(last, prepend=-1))

    def merged(of_text: np.ndarray, of_tokens: np.ndarray) -> np.ndarray:
        if not len(special_at):
            return of_text
        made = np.empty((len(plain), *of_text.shape[1:]), of_text.dtype)
        made[plain], made[special_at] = of_text, of_tokens
        return made

    ids = merged(found.ids, parts.ids[real])
    shift = np.repeat(parts.starts, found.tokens)[:, None]
    spans = merged(found.spans + shift, parts.spans[real])
    words = merged(found.words + np.repeat(pieces, found.tokens), (pieces + found.pieces)[real])
    spaces = np.zeros((len(ids), 2), np.int64)
    if any(isinstance(stage, TrimOffsets)
           for stage in getattr(tok.post_processor, "steps", [tok.post_processor])):
        spaces = merged(spaces_of(tok, found.ids), spaces_of_tokens(texts, parts))
    zero = np.zeros(len(ids), np.int32)
    whole = Row(ids, zero, spans, spaces, words.astype(np.int32), zero, zero == 0)
    edges = np.concatenate([[0], after[last]]).tolist()
    return [whole.part(slice(i, j)) for i, j in pairwise(edges)]


def spaces_of_tokens(texts: Sequence[str], parts: Parts) -> np.ndarray:
    """Spaces at both ends of the special tokens (n, 2), as they stand in the texts."""
    text, found = iter(texts), []
    at = next(text, "")
    for id, (start, end) in zip(parts.ids.tolist(), parts.spans.tolist()):
        if id < 0:
            at = next(text, "")
        else:
            found.append(spaces_around(at[start:end]))
    return np.array(found, np.int64).reshape(-1, 2)


def spaces_of(tok: Vocabulary, ids: np.ndarray) -> np.ndarray:
    """How many spaces each token begins and ends with (n, 2)."""
    table = tok._spaces
    for id in np.unique(ids[table[ids, 0] < 0]).tolist():
        before, after = spaces_around(spelled(tok, id))
        table[id, 1] = after  # what another thread looks at, the first column, is written last
        table[id, 0] = before
    return table[ids]


def row_of_words(tok: Vocabulary, words: Sequence[str], special: Special) -> Row:
    """The tokens of words that are cut already; spans are those in the word of each token."""
    rows = rows_of(tok, words, special)
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
    check_texts(text, pair)
    rows = [
        rows_of(tok, [part], special)[0] if isinstance(part, str)
        else row_of_words(tok, part, special)
        for part in (text, pair) if part is not None
    ]
    return framed(tok, rows, add, truncation or tok.truncation)


def check_texts(*texts: Any) -> None:
    """Raise a TypeError unless each is a text, a list of words or None."""
    for text in texts:
        words = isinstance(text, list | tuple) and all(isinstance(word, str) for word in text)
        if not (text is None or isinstance(text, str) or words):
            raise TypeError(f"text={text!r:.60} is a {type(text).__name__}; expected str, or a "
                            "list of words")


def rows_without_places(
    tok: Vocabulary, texts: Sequence[Text], encode: Callable[[list[str]], Batched]
) -> list[Row]:
    """The tokens of texts of which nobody asks where they stand; encode: many texts at once."""
    words = [[text] if isinstance(text, str) else text for text in texts]
    ids, ends = encode([word for row in words for word in row])
    last = np.concatenate([[0], ends])[np.cumsum([len(row) for row in words], dtype=np.int64)]
    rows = []
    for part in np.split(ids, last[:-1]) if len(last) else []:
        nowhere, zero = np.zeros((len(part), 2), np.int64), np.zeros(len(part), np.int32)
        rows.append(Row(part, zero, nowhere, nowhere, zero, zero, zero == 0))
    return rows


def filled(row: Row, padding: Padding | None) -> Row:
    """A row by itself with its padding."""
    return row if padding is None else padding.fill(row, padding.target([len(row.ids)]))


def spelled(tok: Vocabulary, id: int) -> str:
    """An id of the model as it stands in a file: in the byte alphabet where it works on bytes."""
    data = tok.id_to_bytes(id)
    in_bytes = isinstance(tok.model, ByteBPE)
    return bytes_to_characters(data) if in_bytes else data.decode("utf-8", "replace")


