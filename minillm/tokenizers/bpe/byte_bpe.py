"""Byte-level BPE: merges of bytes, so that every text has ids (Radford et al. 2019).

``ByteBPE.encode_piece`` is the definition; ``ByteBPE.encode`` runs whole texts through a kernel.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...backends import active_backend
from ..patterns.named_rules import RULES
from ..pre_tokenizers.split_rules import Split, split
from ..text.memories import Memories
from ..text.segments import Pieces, token_spans
from .merges import apply_merges

MEMORABLE = 128  # bytes of the longest piece that the kernel merges itself


def lengths_of(vocabulary: list[bytes | None]) -> np.ndarray:
    """Bytes of each token, (V,) int64; 0 where a number is not used."""
    tokens = [token or b"" for token in vocabulary] if None in vocabulary else vocabulary
    return np.fromiter(map(len, tokens), np.int64, len(tokens))  # type: ignore[arg-type]


@dataclass(eq=False)
class ByteBPE:
    """Vocabulary and merges of byte strings.

    vocabulary: bytes of each id (None where a number is not used). merges: (left, right, merged)
    ids by rank. With `whole_pieces` a piece that is an entry gets its id without merging, as in
    tiktoken.
    """

    vocabulary: list[bytes | None]
    merges: np.ndarray  # (merges, 3) int32
    whole_pieces: bool = False
    ranks: np.ndarray | None = None  # of merges; None: their order
    dropout: float = 0.0
    _tables: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.lengths = lengths_of(self.vocabulary)
        self.byte_ids = np.full(256, -1, np.int32)
        for id in np.flatnonzero(self.lengths == 1).tolist():
            self.byte_ids[self.vocabulary[id][0]] = id  # type: ignore[index]

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """The id of each token; most texts are encoded without it."""
        return {token: id for id, token in enumerate(self.vocabulary) if token is not None}

    def rank_table(self) -> dict[tuple[int, int], tuple[int, int]]:
        """pair of ids -> (rank, merged id)."""
        if self._tables is None:
            ranks = range(len(self.merges)) if self.ranks is None else self.ranks.tolist()
            self._tables = {}
            for rank, (left, right, merged) in zip(ranks, self.merges.tolist()):
                self._tables.setdefault((left, right), (rank, merged))
        return self._tables

    def encode_piece(self, piece: bytes) -> list[int]:
        """Ids of one piece. A byte that is not in the vocabulary is left out."""
        if self.whole_pieces and piece in self.ids:
            return [self.ids[piece]]
        ids = [int(self.byte_ids[byte]) for byte in piece if self.byte_ids[byte] >= 0]
        return apply_merges(ids, self.rank_table(), self.dropout)

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of all pieces and the byte spans (n, 2) that they come from."""
        ids, ends = self.encode(pieces.data, pieces.spans)
        return ids, token_spans(self.lengths[ids], pieces.spans, ends)

    def bulk(self, normalizer: Any, pre_tokenizer: Any) -> Any:
        """Encoding of many texts at once, where the pre-tokenizer is a rule with a scanner."""
        rule = pre_tokenizer.rule if isinstance(pre_tokenizer, Split) else None
        if rule is None or normalizer is not None:
            return None
        return lambda data, segments: self.encode(data, segments, rule)

    def encode(
        self, data: np.ndarray, segments: np.ndarray, rule: str = "given"
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends): ids of the segments (s, 2) of `data`, cut into pieces by a named rule.

        Segment k has the ids ``ids[ends[k - 1] : ends[k]]``. "given": each segment is one piece.
        """
        if active_backend() == "numba" and not self.dropout:
            ids, ends, memory = self._run(self._words, self._memories.take(), data, segments, rule)
            self._memories.give_back(memory)
            return ids, ends
        made: list[int] = []
        ends = np.zeros(len(segments), np.int64)
        raw = data.tobytes()
        known: dict[bytes, list[int]] = {}
        for s, (i, j) in enumerate(segments.tolist()):
            part = raw[i:j]
            for piece in [part] if rule == "given" else split(part.decode(), rule):
                key = piece if isinstance(piece, bytes) else piece.encode()
                if self.dropout or key not in known:
                    known[key] = self.encode_piece(key)
                made += known[key]
            ends[s] = len(made)
        return np.array(made, np.int32), ends

    def _run(
        self, words: Any, memory: Any, data: np.ndarray, segments: np.ndarray, rule: str
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """The kernel, and the long pieces that it leaves: (ids, ends, the memory, grown perhaps).

        `memory` is this call's alone.
        """
        from ..pre_tokenizers.ascii_kernel import Splitting
        from ..text.memory_kernel import with_room
        from ..text.unicode_classes import class_table
        from .byte_bpe_kernel import FULL, encode, new_block
        from .long_words_kernel import merge_long, new_room

        splitting = Splitting(RULES.index(rule), class_table())
        room = int((segments[:, 1] - segments[:, 0]).sum()) + 3
        out, ends = np.empty(room, np.int32), np.empty(len(segments), np.int64)
        progress = np.array([0, segments[0, 0] if len(segments) else 0, 0, 0, 0], np.int64)
        block = new_block()
        segments = np.ascontiguousarray(segments, np.int64)
        while length := encode(
            data, segments, splitting, words, memory, block, out, ends, progress
        ):
            if length == FULL:
                memory = with_room(memory)
                continue
            i, n = progress[1:3].tolist()
            piece = data[i : i + length]
            whole = self.ids.get(piece.tobytes()) if self.whole_pieces else None
            if whole is None:
                symbols = self.byte_ids[piece]
                symbols = symbols[symbols >= 0]
                desk = new_room(len(symbols))
                count = merge_long(symbols, len(symbols), words.pairs, desk, out[n:])
            else:
                out[n], count = whole, 1
            progress[1:3] = i + length, n + count
        ids = out[: progress[2]]
        return (ids.copy() if room < 1 << 20 else ids), ends, memory

    def forget(self) -> None:
        """Empty the memory of pieces seen."""
        self._memories.forget()

    @cached_property
    def _memories(self) -> Memories:
        from ..text.memory_kernel import new_memory

        return Memories(new_memory)

    @cached_property
    def _words(self) -> Any:
        """The vocabulary, as the kernel wants it."""
        from ..text.index_kernel import entries_of
        from .byte_bpe_kernel import Joints, Vocabulary
        from .last_merges_kernel import are_joined, last_merges, some_pairs
        from .merging_kernel import byte_pair_values, pairs_of
        from .units import joints_of

        ranks = np.arange(len(self.merges)) if self.ranks is None else self.ranks
        pairs = pairs_of(self.merges, ranks)
        entries = entries_of([token or b"" for token in self.vocabulary])
        # An entry is met often: which are made by their merges?
        made, last = last_merges(self.byte_ids[entries.data], entries.starts, pairs)
        if are_joined(np.ascontiguousarray(self.merges, np.int64), entries.data, entries.starts):
            pairs = some_pairs(pairs, last)
        byte_pairs = np.zeros(0 if (self.byte_ids < 0).any() else 1 << 16, np.uint64)
        if len(byte_pairs):
            byte_pair_values(self.byte_ids, pairs, byte_pairs)
        # As a whole piece an entry is itself, as a part of one what its merges make. Of longer
        # entries the caller of the kernel cannot tell which it has.
        long = any(not (self.vocabulary[id] or b"").isascii()
                   for id in np.flatnonzero(self.lengths > MEMORABLE).tolist())
        uncut = Joints(np.zeros(16, np.uint64), np.zeros(0, bool))
        joints = uncut if self.whole_pieces and long else joints_of(self.vocabulary)
        return Vocabulary(
            self.byte_ids, pairs, byte_pairs, made, self.whole_pieces, entries, joints
        )
