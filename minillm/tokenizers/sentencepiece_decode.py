"""From SentencePiece's pieces back to text."""

from dataclasses import dataclass

from .sentencepiece_file import BYTE_PIECES
from .sentencepiece_normalizer import SPACE, width

BYTES = {name.encode(): bytes([value]) for name, value in BYTE_PIECES.items()}


@dataclass(frozen=True)
class SentencePieceDecoder:
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

    def __call__(self, tokens: list[bytes]) -> bytes:
        text, waiting = bytearray(), bytearray()  # waiting: byte pieces, not yet characters
        at_start = dropped = False
        at_start = self.leading != "keep"
        for token in tokens:
            if self.byte_pieces and token in BYTES:
                waiting += BYTES[token]
                continue
            text += repaired(bytes(waiting))
            waiting.clear()
            at_start = at_start and not dropped and not text
            dropped = False
            if token == self.unk:
                text += self.unk_surface
            elif token not in self.control:
                if at_start and token.startswith(SPACE):
                    token, dropped = token[len(SPACE) :], self.leading == "one"
                text += token.replace(SPACE, b" ")
        return bytes(text + repaired(bytes(waiting)))


def repaired(data: bytes) -> bytes:
    """Bytes as UTF-8, each byte that belongs to no character as U+FFFD.

    >>> repaired(b"\\xe4\\xb8a").decode()
    '\\ufffd\\ufffda'
    """
    result = bytearray()
    i = 0
    while i < len(data):
        length = width(data[i])
        try:
            data[i : i + length].decode()
        except UnicodeDecodeError:
            length = 0
        result += data[i : i + length] if length else b"\xef\xbf\xbd"
        i += max(length, 1)
    return bytes(result)
