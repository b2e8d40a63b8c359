"""The tokens of a text with the characters of the original text that each comes from."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from .bpe.byte_bpe import ByteBPE
from .normalizers.alignment import through
from .post_processors.lengths import Padding, Truncation
from .post_processors.templates import Row, Template, TrimOffsets, spaces_around
from .special_tokens import Special
from .text.byte_alphabet import bytes_to_characters
from .text.segments import Pieces, character_offsets, is_raw
from .vocabulary import Vocabulary


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
    pre_tokenizer = tok.pre_tokenizer
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
