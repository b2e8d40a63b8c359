"""Text in GPT-2's byte alphabet, for models that see its characters instead of bytes.

``ByteBPE`` works on bytes and needs none of this. It is for the other models behind a ByteLevel
stage, and for stages that look at the characters of the alphabet.
"""

from dataclasses import dataclass

import numpy as np

from ..normalizers.alignment import Aligned
from ..text.byte_alphabet import CHARACTER_OF_BYTE
from ..text.segments import Pieces, as_utf8, pieces_of

TABLE = "".join(CHARACTER_OF_BYTE[byte] for byte in range(256))


def in_alphabet(text: str) -> str:
    """Each byte of the text's UTF-8 as its character.

    >>> in_alphabet("é a")
    'Ã©Ġa'
    """
    return as_utf8(text).decode("latin-1").translate(TABLE)


@dataclass(frozen=True)
class ByteAlphabet:
    """A normalizer: each byte as its character, which comes from the whole of the byte's one."""

    def __call__(self, text: str) -> str:
        return in_alphabet(text)

    def aligned(self, text: str) -> Aligned:
        from .in_turn import without_surrogates

        text, sources = without_surrogates(text)
        sizes = [len(character.encode()) for character in text]
        return in_alphabet(text), np.repeat(sources, sizes, 0)


@dataclass(frozen=True)
class InByteAlphabet:
    """The same as a pre-tokenizer, which leaves the text whole."""

    def aligned(self, text: str) -> Aligned:
        return ByteAlphabet().aligned(text)

    def cut(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))] if text else []

    def __call__(self, text: str) -> Pieces:
        return pieces_of(in_alphabet(text), self.cut)
