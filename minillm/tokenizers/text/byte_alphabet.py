"""GPT-2's byte alphabet: a printable character for each of the 256 bytes.

Files such as vocab.json hold text, not bytes, so each byte is written as a character. Printable
bytes stand for themselves; the others, in ascending order, become U+0100, U+0101, ... A space is
written Ġ and a line feed Ċ.
"""

from itertools import pairwise

import numpy as np

PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTE_ORDER = PRINTABLE + [byte for byte in range(256) if byte not in PRINTABLE]
CHARACTER_OF_BYTE = {
    byte: chr(byte if k < len(PRINTABLE) else 256 + k - len(PRINTABLE))
    for k, byte in enumerate(BYTE_ORDER)
}
BYTE_OF_CHARACTER = {character: byte for byte, character in CHARACTER_OF_BYTE.items()}


def bytes_to_characters(data: bytes) -> str:
    """``b" a"`` -> ``"Ġa"``."""
    return "".join(CHARACTER_OF_BYTE[byte] for byte in data)


def characters_to_bytes(text: str) -> bytes:
    """``"Ġa"`` -> ``b" a"``; a text with a character outside the alphabet gives its UTF-8."""
    try:
        return bytes(BYTE_OF_CHARACTER[character] for character in text)
    except KeyError:
        return text.encode()


def all_to_bytes(data: np.ndarray, starts: np.ndarray) -> tuple[list[bytes], list[int]]:
    """``characters_to_bytes`` of many texts, and the numbers of those not of the alphabet alone.

    Text k is data[starts[k] : starts[k + 1]], UTF-8.
    """
    raw = data.tobytes()
    points = np.frombuffer(raw.decode().encode("utf-32-le"), np.uint32)
    table = np.zeros(max(map(ord, BYTE_OF_CHARACTER)) + 2, np.int16) - 1
    table[list(map(ord, BYTE_OF_CHARACTER))] = list(BYTE_OF_CHARACTER.values())
    found = table[np.minimum(points, len(table) - 1)]
    plain = found.astype(np.uint8).tobytes()
    ends = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])[starts]  # in characters
    made = [plain[start:end] for start, end in pairwise(ends.tolist())]
    outside = np.unique(np.searchsorted(ends, np.flatnonzero(found < 0), "right") - 1).tolist()
    for k in outside:
        made[k] = raw[starts[k] : starts[k + 1]]
    return made, outside
