"""The tokens of texts with all that is known of each: special tokens, pieces, places."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .. import threads
from .bpe.byte_bpe import ByteBPE
from .places import NOTHING, located
from .post_processors.lengths import Truncation
from .post_processors.templates import Row, Template, TrimOffsets, spaces_around
from .special_tokens import Special
from .text.byte_alphabet import bytes_to_characters
from .text.segments import blocks_of, is_raw, joined_ids
from .vocabulary import Vocabulary

Text = str | Sequence[str]  # a text, or its words
Batched = tuple[np.ndarray, np.ndarray]  # ids of many texts, and where each ends


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
                assert waiting is None, "two parts with no token between them"
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
    whole, ends = joined_rows(tok, texts, special)
    return [whole.part(slice(i, j)) for i, j in pairwise([0, *ends.tolist()])]


def trims(tok: Vocabulary) -> bool:
    """Does the post-processor ask for the spaces at the ends of tokens?"""
    stages = getattr(tok.post_processor, "steps", [tok.post_processor])
    return any(isinstance(stage, TrimOffsets) for stage in stages)


def joined_rows(
    tok: Vocabulary, texts: Sequence[str], special: Special
) -> tuple[Row, np.ndarray]:
    """The tokens of all texts in one row, and where those of each end in it (n,)."""
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
    if trims(tok):
        spaces = merged(spaces_of(tok, found.ids), spaces_of_tokens(texts, parts))
    zero = np.zeros(len(ids), np.int32)
    whole = Row(ids, zero, spans, spaces, words.astype(np.int32), zero, zero == 0)
    return whole, after[last]


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


def spelled(tok: Vocabulary, id: int) -> str:
    """An id of the model as it stands in a file: in the byte alphabet where it works on bytes."""
    data = tok.id_to_bytes(id)
    in_bytes = isinstance(tok.model, ByteBPE)
    return bytes_to_characters(data) if in_bytes else data.decode("utf-8", "replace")


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
    texts: Sequence[Text], encode: Callable[[list[str]], Batched]
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


def encoded_with_places(
    tok: Vocabulary, texts: list[str], special: Special, add: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ids, ends, spans) of many texts; see ``Tokenizer.encode_batch_with_offsets``."""
    blocks = list(blocks_of(texts))
    found = threads.run(lambda k: joined_rows(tok, blocks[k], special), len(blocks))
    if trims(tok) or tok.truncation or tok.padding or (tok.post_processor and add):
        rows = [framed(tok, [row.part(slice(i, j))], add, tok.truncation)
                for row, ends in found for i, j in pairwise([0, *ends.tolist()])]
        if tok.padding:
            target = tok.padding.target([len(row.ids) for row in rows])
            rows = [tok.padding.fill(row, target) for row in rows]
        found = [(row, np.array([len(row.ids)])) for row in rows]
    ids, ends = joined_ids([(row.ids, ends) for row, ends in found])
    return ids, ends, np.concatenate([NOTHING.spans, *(row.spans for row, _ in found)])
