"""From SentencePiece's pieces back to text."""

from dataclasses import dataclass

from ..decoders.streaming import OneByOne, Step
from ..text.utf8 import decode_per_byte
from .model_file import BYTE_PIECES
from .normalizer import SPACE, width

BYTES = {name.encode(): bytes([value]) for name, value in BYTE_PIECES.items()}


@dataclass(frozen=True)
class SentencePieceDecoder(OneByOne):
    """Join pieces as the library does.

    control: pieces that stand for no text; unk: the unknown piece, shown as `unk_surface`. ▁
    becomes a space. `leading` says what becomes of ▁ while there is no text yet: "keep" it; drop
    "one", the prefix that the normalizer put there; drop one from "each" piece, where the
    normalizer removes extra spaces. With `byte_pieces` the pieces <0x00> to <0xFF> are bytes.
    """

    control: frozenset[bytes] = frozenset()
    unk: bytes = b"<unk>"
    unk_surface: bytes = " \u2047 ".encode()
    leading: str = "each"
    byte_pieces: bool = False

    def start(self) -> tuple[bytes, bool, bool]:
        """(bytes that are not yet a character, may a ▁ be dropped, is there no text yet)"""
        return b"", self.leading != "keep", True

    def push(self, state: tuple[bytes, bool, bool], token: bytes) -> Step:
        waiting, droppable, empty = state
        if self.byte_pieces and token in BYTES:
            waiting += BYTES[token]
            text = b""
            while waiting and len(waiting) >= width(waiting[0]):
                character, waiting = first_character(waiting)
                text += character
            return (waiting, droppable, empty and not text), [text]
        text = decode_per_byte(waiting).encode()
        droppable = droppable and empty and not text
        if token == self.unk:
            text += self.unk_surface
        elif token not in self.control:
            if droppable and token.startswith(SPACE):
                token, droppable = token[len(SPACE) :], self.leading == "each"
            text += token.replace(SPACE, b" ")
        return (b"", droppable, empty and not text), [text]

    def finish(self, state: tuple[bytes, bool, bool]) -> list[bytes]:
        return [decode_per_byte(state[0]).encode()]


def first_character(data: bytes) -> tuple[bytes, bytes]:
    """(UTF-8 of the first character, the bytes after it); U+FFFD for a byte that begins none."""
    size = width(data[0])
    try:
        data[:size].decode()
    except UnicodeDecodeError:
        size = 0
    return (data[:size], data[size:]) if size else (b"\xef\xbf\xbd", data[1:])
