"""Text that a model has no token for, and the error that says where it stands."""

from collections.abc import Iterator

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
