"""BPE of characters by its kernel: the call, the memory of words, and where texts may be cut."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..text.memories import power_of_two

REMEMBERED = 1 << 18  # slots for short words, of which at most 60 % are filled
NEAR = 48  # symbols of a word that are merged without a heap
BETWEEN = "\ud800"  # stands in no text
NEVER = {0xC0, 0xC1, *range(0xF5, 0x100)}  # bytes that are in no UTF-8


def encode_many(
    model: Any, data: np.ndarray, segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of the segments (s, 2) of `data`, each a text, or a piece of one.

    model: has `pieces` for the kernel, and `memories` made by ``new_memory``.
    """
    from .character_bpe_kernel import encode

    room = int((segments[:, 1] - segments[:, 0]).sum()) + 3
    out, ends = np.empty(room, np.int32), np.empty(len(segments), np.int64)
    progress = np.zeros(3, np.int64)
    segments = np.ascontiguousarray(segments, np.int64)
    memory, scratch = model.memories.take()
    while length := encode(data, segments, model.pieces, memory, scratch, out, ends, progress):
        scratch = scratch_for(length)
    model.memories.give_back((memory, scratch if len(scratch.symbols) <= 1 << 20 else
                              scratch_for(256)))
    ids = out[: progress[2]]
    return (ids.copy() if room < 1 << 20 else ids), ends


def scratch_for(length: int) -> Any:
    """Room for working on a word of so many bytes."""
    from .character_bpe_kernel import Scratch

    return Scratch(
        symbols=np.empty(length, np.int32), finals=np.empty(length, np.int32),
        following=np.empty(length, np.int32), before=np.empty(length, np.int32),
        heap=np.empty(3 * length, np.uint64), values=np.empty(NEAR, np.uint64),
    )


def new_memory() -> tuple[Any, Any]:
    """An empty memory of words, and room for working on a word."""
    from ..text import memory_kernel

    memory = memory_kernel.new_memory(REMEMBERED, REMEMBERED // 4, 1 << 21, 1 << 20)
    return memory, scratch_for(256)


def joint_tables(texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which characters stand side by side in any of the texts: a square table, a hash table."""
    from .character_bpe_kernel import NARROW, add_joints

    whole = BETWEEN.join(texts).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(whole, np.uint32).astype(np.int64)
    inside = (points[:-1] != ord(BETWEEN)) & (points[1:] != ord(BETWEEN))
    found = np.unique(points[:-1][inside] << 32 | points[1:][inside])
    narrow = np.zeros(NARROW * NARROW, bool)
    wide = np.zeros(power_of_two(4 * len(found)), np.uint64)
    add_joints(found >> 32, found & 0xFFFFFFFF, narrow, wide)
    return narrow, wide


def pieces_of_merges(model: Any) -> Any:
    """The vocabulary of a CharacterBPE, as the kernel wants it; None where it cannot do the same.

    It can where a word is its characters and nothing else: no marks of beginnings or ends, no
    chance, no words that are looked up whole; and where unknown characters become bytes, or a run
    of them one unknown token.
    """
    from .character_bpe_kernel import UNKNOWN, Pieces
    from .merging_kernel import pair_table

    byte_ids = np.array([model.ids.get(b"<0x%02X>" % byte, -1) for byte in range(256)], np.int32)
    missing = np.flatnonzero(byte_ids < 0).tolist()  # must not be a byte of an unknown character
    falls_back = model.byte_fallback and byte_ids[0] >= 0 and all(
        bytes([byte]) in model.ids or byte in NEVER for byte in missing
    )
    fuses = not model.byte_fallback and model.fuse_unk and model.unk_id is not None
    if (model.prefix or model.suffix or model.dropout or model.whole_words
            or not (falls_back or fuses) or np.isin(model.merges[:, :2], byte_ids).any()):
        return None
    characters = np.full(0x110000, UNKNOWN, np.int32)
    texts = [(token or b"").decode("utf-8", "replace") for token in model.vocabulary]
    single = [id for id, text in enumerate(texts) if len(text) == 1]
    characters[[ord(texts[id]) for id in single]] = single
    left, right, merged = (np.ascontiguousarray(column) for column in model.merges.T)
    pairs = np.zeros(2 * power_of_two(2 * len(model.merges)), np.uint64)
    pair_table(left, right, merged, np.arange(len(merged)), pairs)
    lengths = np.array([len(token or b"") for token in model.vocabulary], np.int64)
    return Pieces(
        characters, pairs, np.zeros(0, np.uint32), np.zeros(1, np.int32), lengths,
        byte_ids if falls_back else np.full(256, -1, np.int32),
        -1 if model.unk_id is None else model.unk_id,
        *joint_tables(texts[id] for id in np.unique(merged)),
    )
