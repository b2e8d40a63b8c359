"""Pieces as text, encoded one by one; and the error where a model has no token for one."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .segments import Pieces


class UnknownTextError(ValueError):
    """A piece is not in the vocabulary, and there is no unknown token to stand for it."""


def unknown(piece: str, position: int) -> UnknownTextError:
    """The error for a piece at this byte of the text."""
    return UnknownTextError(
        f"text has {piece!r} at byte {position}, which is not in the vocabulary; train with "
        "unk_token='<|unk|>' to give unknown text an id"
    )


def texts_of(pieces: Pieces) -> Iterator[tuple[str, int, int]]:
    """(piece, start, end) of every piece."""
    raw = pieces.data.tobytes()
    for start, end in pieces.spans.tolist():
        yield raw[start:end].decode(), start, end


def encoded_pieces(
    pieces: Pieces, encode: Callable[[str, int], Any], known: dict[str, Any] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Ids (n,) of the tokens of all pieces and their byte spans (n, 2).

    ``encode(piece, position)`` gives the ids and the widths in bytes of one piece; what it gave is
    remembered in `known`, unless that is None.
    """
    ids: list[int] = []
    spans = []
    for piece, start, _ in texts_of(pieces):
        found = None if known is None else known.get(piece)
        if found is None:
            found = encode(piece, start)
            if known is not None and len(known) < 1 << 16:
                known[piece] = found
        ids += found[0]
        for width in found[1]:
            spans.append((start, start + width))
            start += width
    return np.array(ids, np.int32), np.array(spans, np.int64).reshape(-1, 2)
