"""The tokens of a text with the characters of the original text that each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .byte_alphabet import bytes_to_characters
from .byte_bpe import ByteBPE
from .normalizing import through
from .segments import Continued, Normalized, character_offsets
from .templates import Row, Template, TrimOffsets, spaces_around

if TYPE_CHECKING:
    from .tokenizer import Tokenizer


def is_raw(part: Any) -> bool:
    """Is it a part of a text that has yet to be normalized?"""
    return isinstance(part, str) and not isinstance(part, Normalized)


def row_of(tok: Tokenizer, text: str, special: str) -> Row:
    """The tokens of one text, without what the post-processor does."""
    rows, position = [], 0
    stages = getattr(tok.post_processor, "steps", [tok.post_processor])
    trims = any(isinstance(stage, TrimOffsets) for stage in stages)
    for part in tok._finder.parts(text, special):
        if isinstance(part, str):
            ids, spans = tok.model(tok._pieces(part))
            spans = original(tok, part, spans)
            if is_raw(part):
                spans = spans + position
                position += len(part)
            names = [spelled(tok, id) if trims else "" for id in ids.tolist()]
        else:
            ids, spans, position = np.array(part[:1], np.int32), np.array([part[1:]]), part[2]
            names = [text[part[1] : part[2]]]
        spaces = np.array([spaces_around(name) for name in names], np.int64).reshape(-1, 2)
        rows.append(Row(ids, np.zeros(len(ids), np.int32), spans, spaces))
    return Row.joined(rows)


def framed(tok: Tokenizer, rows: list[Row]) -> Row:
    """One row from those of a text or of two: truncated, post-processed, filled up."""
    stage = tok.post_processor
    if stage is not None and not hasattr(stage, "place"):
        raise TypeError(f"post_processor={stage!r} has no method place(rows), which finding "
                        "places in the original text and pairs need; see Template")
    if tok.truncation is not None:
        empty = [row.part(slice(0)) for row in rows]
        added = len(stage.place(empty)[0].ids) if stage is not None else 0
        kept = tok.truncation.keep([len(row.ids) for row in rows], added)
        rows = [row.part(some) for row, some in zip(rows, kept)]
    if stage is not None:
        rows = stage.place(rows)
    row = rows[0] if len(rows) == 1 else Template().place(rows)[0]
    if tok.padding is not None:
        row = tok.padding.fill(row, tok.padding.target([len(row.ids)]))
    return row


def spelled(tok: Tokenizer, id: int) -> str:
    """An id of the model as it stands in a file: in the byte alphabet where it works on bytes."""
    data = tok.id_to_bytes(id)
    in_bytes = isinstance(tok.model, ByteBPE)
    return bytes_to_characters(data) if in_bytes else data.decode("utf-8", "replace")


def in_place(tok: Tokenizer, normal: str, text: str) -> str:
    """The normalized text, for a pre-tokenizer that asks for it with its place in the text."""
    if not getattr(tok.pre_tokenizer, "needs_place", False):
        return normal
    if tok.normalizer is None or isinstance(text, Normalized):
        return text
    return Normalized.of(normal, sources_of(tok.normalizer, text) + isinstance(text, Continued))


def sources_of(normalizer: Any, text: str) -> np.ndarray:
    """Spans in the text of the characters of its normalized form."""
    if isinstance(text, Normalized):
        return text.sources
    if not hasattr(normalizer, "aligned"):
        raise TypeError(f"normalizer={normalizer!r} has no method aligned(text), which "
                        "finding places in the original text needs; see Tokenizer")
    return normalizer.aligned(text)[1]


def original(tok: Tokenizer, text: str, spans: np.ndarray) -> np.ndarray:
    """Character spans in `text` of byte spans in the text that the model saw.

    Of a part that is normalized already: spans in the whole text.
    """
    if hasattr(tok.normalizer, "original") and is_raw(text) and tok.pre_tokenizer is None:
        return tok.normalizer.original(text, spans)
    sources = None
    if tok.normalizer is not None:
        sources = sources_of(tok.normalizer, text)
        text = in_place(tok, tok._normalized(text), text)
    if tok.pre_tokenizer is not None and hasattr(tok.pre_tokenizer, "aligned"):
        text, found = tok.pre_tokenizer.aligned(text)
        sources = found if sources is None else through(sources, found)
    spans = character_offsets(text, spans)
    return spans if sources is None else through(sources, spans)
