"""BPE of characters by its kernel: the call, the memory of words, and where texts may be cut."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..text.memories import power_of_two
from ..text.segments import Pieces, joined_bytes, token_spans
from .units import neighbours

LONGEST_ENTRY = 128  # bytes; a longer word is not remembered either
NEAR = 48  # symbols of a word that is not a long one
NEVER = {0xC0, 0xC1, *range(0xF5, 0x100)}  # bytes that are in no UTF-8


def with_entries(vocabulary: list[bytes | None], pieces: Any) -> Any:
    """The kernel's ``Pieces`` with the entries that their own text is encoded to: many words.

    Without the pairs that never happen, see ``last_merges_kernel``; each makes the text of both.
    """
    from ..text.index_kernel import entries_of
    from .character_bpe_kernel import UNKNOWN
    from .last_merges_kernel import last_merges, some_pairs

    entries = entries_of([token or b"" for token in vocabulary])
    texts = [(token or b"").decode("utf-8", "replace") for token in vocabulary]
    symbols = pieces.characters[np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)]
    symbols[symbols == UNKNOWN] = -1
    _, last = last_merges(symbols, np.cumsum([0, *map(len, texts)]), pieces.pairs)
    pieces = pieces._replace(pairs=some_pairs(pieces.pairs, last))
    sizes = np.diff(entries.starts)
    short = np.flatnonzero((sizes > 0) & (sizes <= LONGEST_ENTRY))
    spans = np.stack([entries.starts[short], entries.starts[short + 1]], 1)
    pieces = pieces._replace(entries=entries, whole=np.zeros(len(vocabulary), bool))
    ids, ends, _ = run(pieces, new_memory(), entries.data, spans)
    starts = np.concatenate([[0], ends[:-1]])
    pieces.whole[short] = (ends - starts == 1) & (np.append(ids, -1)[starts] == short)
    return pieces


def encode_many(
    model: Any, data: np.ndarray, segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of the segments (s, 2) of `data`, each a text, or a piece of one.

    model: has `pieces` for the kernel, and `memories` made by ``new_memory``.
    """
    ids, ends, (memory, scratch) = run(model.pieces, model.memories.take(), data, segments)
    large = len(scratch.symbols) > 1 << 20
    model.memories.give_back((memory, scratch_for(256) if large else scratch))
    return (ids.copy() if len(ids) < 1 << 20 else ids), ends


def encode_with_spans(model: Any, pieces: Pieces) -> tuple[np.ndarray, np.ndarray] | None:
    """Ids (n,) of the pieces and their byte spans (n, 2), or None where a span is not clear."""
    from .character_bpe_kernel import token_widths

    segments = np.ascontiguousarray(pieces.spans, np.int64)
    ids, ends = encode_many(model, pieces.data, segments)
    widths = np.zeros(len(ids), np.int64)
    if not token_widths(pieces.data, segments, model.pieces, ids, ends, widths):
        return None
    return ids, token_spans(widths, segments, ends)


def run(
    pieces: Any, room: tuple[Any, Any], data: np.ndarray, segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[Any, Any]]:
    """(ids, ends) of the segments, and the room to work in, which may have grown."""
    from ..text.memory_kernel import with_room
    from ..text.words_kernel import WINDOW, mark_words
    from .character_bpe_kernel import FULL, encode

    out = np.empty(int((segments[:, 1] - segments[:, 0]).sum()) + 3, np.int32)
    ends, progress = np.empty(len(segments), np.int64), np.zeros(3, np.int64)
    segments = np.ascontiguousarray(segments, np.int64)
    marks = np.empty(len(data) + 2 * WINDOW, np.uint8)
    mark_words(
        data, segments.min(initial=len(data)), segments.max(initial=0), pieces.joints, marks
    )
    memory, scratch = room
    while length := encode(data, segments, marks, pieces, memory, scratch, out, ends, progress):
        if length == FULL:
            memory = with_room(memory)
        else:
            scratch = scratch_for(length)
    return out[: progress[2]], ends, (memory, scratch)


def scratch_for(length: int) -> Any:
    """Room for working on a word of so many bytes."""
    from .character_bpe_kernel import Scratch
    from .long_words_kernel import new_room

    return Scratch(
        symbols=np.empty(length, np.int32), finals=np.empty(length, np.int32),
        values=np.empty(NEAR, np.uint64), room=new_room(length), merged=np.empty(length, np.int32),
    )


def new_memory() -> tuple[Any, Any]:
    """An empty memory of words, and room for working on a word."""
    from ..text import memory_kernel

    return memory_kernel.new_memory(), scratch_for(256)


def joints_of(texts: Iterable[str]) -> Any:
    """The ``Joints``: which characters stand side by side in any of the texts."""
    from ..text.words_kernel import Joints, add_joints

    found = neighbours(list(texts))
    joints = Joints(np.zeros(1 << 16, np.uint8), np.zeros(power_of_two(len(found)), np.uint64))
    plain = [*range(128), 0xE2], [*range(128), 0x81]  # bytes they begin with, and end with
    joints.cuts.reshape(256, 256)[np.ix_(plain[1], plain[0])] = 1
    add_joints(found[:, 0].copy(), found[:, 1].copy(), joints)
    return joints


def pieces_of_merges(model: Any) -> Any:
    """The vocabulary of a CharacterBPE, as the kernel wants it; None where it cannot do the same.

    It can where a word is its characters and nothing else: no marks of beginnings or ends, no
    chance, no words that are looked up whole; where unknown characters become bytes, or a run of
    them one unknown token, which no text is; and where a merge makes the text of its parts.
    """
    from .character_bpe_kernel import UNKNOWN
    from .character_bpe_kernel import Pieces as Tables
    from .last_merges_kernel import are_joined
    from .merging_kernel import pairs_of

    byte_ids = np.array([model.ids.get(b"<0x%02X>" % byte, -1) for byte in range(256)], np.int32)
    missing = np.flatnonzero(byte_ids < 0).tolist()  # must not be a byte of an unknown character
    falls_back = model.byte_fallback and byte_ids[0] >= 0 and all(
        bytes([byte]) in model.ids or byte in NEVER for byte in missing
    )
    fuses = (
        not model.byte_fallback and model.fuse_unk and model.unk_id is not None
        and len((model.vocabulary[model.unk_id] or b"").decode("utf-8", "replace")) != 1
        and model.unk_id not in model.merges[:, 2]
    )
    if (model.prefix or model.suffix or model.dropout or model.whole_words
            or not (falls_back or fuses) or np.isin(model.merges[:, :2], byte_ids).any()):
        return None
    data, spans = joined_bytes([token or b"" for token in model.vocabulary])
    merges = np.ascontiguousarray(model.merges, np.int64)
    if not are_joined(merges, data, np.append(spans[:, 0], len(data))):
        return None
    characters = np.full(0x110000, UNKNOWN, np.int32)
    texts = [(token or b"").decode("utf-8", "replace") for token in model.vocabulary]
    single = [id for id, text in enumerate(texts) if len(text) == 1]
    characters[[ord(texts[id]) for id in single]] = single
    pairs = pairs_of(model.merges, np.arange(len(model.merges)))
    lengths = np.array([len(token or b"") for token in model.vocabulary], np.int64)
    return with_entries(model.vocabulary, Tables(
        characters, pairs, np.zeros(0, np.uint32), np.zeros(1, np.int32), lengths,
        byte_ids if falls_back else np.full(256, -1, np.int32),
        -1 if model.unk_id is None else model.unk_id,
        joints_of(texts[id] for id in np.unique(model.merges[:, 2])), None, None,
    ))
