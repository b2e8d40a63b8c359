"""Where byte-level BPE may cut a piece: between characters that no entry of the vocabulary spans.

A Chinese sentence without a mark is one piece, and hardly any is met twice. Nothing is ever joined
between two characters that stand side by side in no entry, so each part between such places can be
encoded, and remembered, by itself. An entry may hold a part of a character at either end; of that
the nearest byte is compared, which may only find too few places.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from ..text.memories import power_of_two
from ..text.segments import BETWEEN
from ..text.utf8 import character_width


def joints_of(vocabulary: list[bytes | None]) -> Any:
    """The ``Joints`` of a vocabulary."""
    from .byte_bpe_kernel import LAST, LEAD, Joints, put_neighbours

    whole, broken = [], []
    for token in vocabulary:
        if token is not None and not token.isascii():
            try:
                whole.append(token.decode())
            except UnicodeDecodeError:
                broken.append(token)
    pairs = neighbours(whole)
    parts = np.zeros(1 << 16, bool)
    rows = []
    for token in broken:
        for left, right in pairwise(characters(token)):
            ends = [point_of(left, LAST + left[-1]), point_of(right, LEAD + right[0])]
            rows.append(ends)
            parts[left[-1] << 8 | right[0]] |= max(ends) >= LEAD
    pairs = np.concatenate([pairs, np.array(rows, np.int64).reshape(-1, 2)])
    bits = np.zeros(power_of_two(len(pairs)), np.uint64)
    put_neighbours(pairs[:, 0].copy(), pairs[:, 1].copy(), bits)
    return Joints(bits, parts)


def neighbours(texts: list[str]) -> np.ndarray:
    """The code points (n, 2) that stand side by side in any of the texts, each pair once."""
    whole = BETWEEN.join(texts).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(whole, np.uint32).astype(np.int64)
    inside = (points[:-1] != ord(BETWEEN)) & (points[1:] != ord(BETWEEN))
    found = np.unique(points[:-1][inside] << 32 | points[1:][inside])
    return np.stack([found >> 32, found & 0xFFFFFFFF], 1)


def characters(token: bytes) -> list[bytes]:
    """The token cut where a character begins; a part of one may stand at each end."""
    found: list[bytes] = []
    for k in range(len(token)):
        if token[k] & 0xC0 != 0x80 or not found:
            found.append(b"")
        found[-1] += token[k : k + 1]
    return found


def point_of(character: bytes, otherwise: int) -> int:
    """The code point of a character; `otherwise` for a part of one."""
    if character[0] & 0xC0 == 0x80 or len(character) != character_width(character[0]):
        return otherwise
    return ord(character.decode("utf-8", "surrogatepass"))
