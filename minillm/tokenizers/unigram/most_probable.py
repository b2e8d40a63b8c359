"""The unigram model: of all ways to cut a text into pieces, the most probable one (Kudo 2018).

Each piece has a score, the log of its probability; the score of a segmentation is the sum over its
pieces. ``Unigram.best_path`` is the definition (Viterbi's algorithm), in the arithmetic of two
reference libraries: ``variant="huggingface"`` sums in float64 and joins adjacent unknown
characters before it falls back to bytes; ``variant="sentencepiece"`` sums in float32 from the
beginning of the line and treats each unknown character by itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from ...backends import active_backend
from ..patterns.named_rules import RULES
from ..text.memories import Memories
from ..text.segments import Pieces, token_spans, unknown
from ..text.utf8 import character_width
from .lattice import Edge, Lattice, n_best, sample, sample_huggingface, sample_n_best

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
VARIANTS = ("huggingface", "sentencepiece")
UNKNOWN_PENALTY = 10.0
LOWEST = -100_000.0  # SentencePiece sets a sum below this to 0, and shifts the others with it


@dataclass(eq=False)
class Unigram:
    """Pieces and their scores.

    vocabulary: bytes of each id (None where text can never turn into it; byte pieces are
    ``b"<0xE4>"``). scores: (V,) log-probabilities. types: (V,) as in SentencePiece's files, or
    None: all NORMAL but `unk_id`. unk_id: what stands for a character that is no piece; without
    it such a character raises an error. byte_fallback: use byte pieces for it where there are any.
    """

    vocabulary: list[bytes | None]
    scores: np.ndarray
    types: np.ndarray | None = None
    unk_id: int | None = None
    byte_fallback: bool = False
    variant: str = "huggingface"

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant={self.variant!r}; use one of {', '.join(VARIANTS)}")
        size = len(self.vocabulary)
        exact = np.float32 if self.variant == "sentencepiece" else np.float64
        self.scores = np.asarray(self.scores, exact).astype(np.float64)
        if self.scores.shape != (size,) or not np.isfinite(self.scores).all():
            raise ValueError(
                f"scores has shape {self.scores.shape}; expected {size} finite numbers"
            )
        if self.unk_id is not None and not 0 <= self.unk_id < size:
            raise ValueError(f"unk_id={self.unk_id} is not an id; expected 0 to {size - 1}")
        if self.types is None:
            self.types = np.full(size, NORMAL, np.int32)
            if self.unk_id is not None:
                self.types[self.unk_id] = UNKNOWN
        self.types = np.asarray(self.types, np.int32)
        if self.types.shape != (size,):
            raise ValueError(f"types has shape {self.types.shape}; expected ({size},)")
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}
        self.byte_ids = [self.ids.get(b"<0x%02X>" % byte, -1) for byte in range(256)]
        self.matched = self._matched()
        self.lengths = np.array([len(token or b"") for token in self.vocabulary], np.int64)
        if self.unk_id is not None:  # these may stand for any number of bytes
            self.lengths[[self.unk_id, *(id for id in self.byte_ids if id >= 0)]] = 0
        self.longest = max(map(len, self.matched), default=0)

    def _matched(self) -> dict[bytes, tuple[int, float]]:
        """The pieces that text is searched for, with their ids and scores."""
        kinds = self.types.tolist()  # type: ignore[union-attr]
        numbers = self.scores.tolist()
        if self.variant == "huggingface":
            self.unk_score = min(numbers, default=0.0) - UNKNOWN_PENALTY
            return {token: (id, numbers[id]) for token, id in self.ids.items() if token}
        normal = [score for score, kind in zip(numbers, kinds) if kind == NORMAL]
        self.unk_score = single(min(normal, default=0.0) - UNKNOWN_PENALTY)
        found = {}
        for token, id in self.ids.items():
            if token and kinds[id] == USER_DEFINED:
                found[token] = (id, single(0.1 * (len(token) - 1)))
            elif token and kinds[id] == NORMAL:
                found[token] = (id, numbers[id])
        return found

    # -- the definition -----------------------------------------------------------------------

    def edges_from(self, text: bytes, start: int) -> Iterator[Edge]:
        """The pieces that begin at byte `start`, the shortest first.

        If none is just the one character there, the unknown token is an edge over it.
        """
        width = character_width(text[start])
        alone = False
        for end in range(start + 1, min(start + self.longest, len(text)) + 1):
            if text[start:end] in self.matched:
                yield Edge(start, end, *self.matched[text[start:end]])
                alone |= end == start + width
        if not alone:
            if self.unk_id is None:
                raise unknown(text[start : start + width].decode(), start)
            yield Edge(start, start + width, self.unk_id, self.unk_score)

    def best_path(self, text: bytes) -> list[Edge]:
        """Viterbi: the segmentation of greatest score.

        best[i] is the best last edge of a path to byte i, and the score of that path. Only a
        greater score replaces it, so of equal paths the one with the earliest start stays.
        """
        best: list[tuple[float, Edge] | None] = [None] * (len(text) + 1)
        start = 0
        while start < len(text):
            before = best[start][0] if start else 0.0  # type: ignore[index]
            if before < LOWEST and self.variant == "sentencepiece":
                best[start:] = [known and (known[0] - before, known[1]) for known in best[start:]]
                before = 0.0
            for edge in self.edges_from(text, start):
                score = self.rounded(before + edge.score)
                known = best[edge.end]
                if known is None or score > known[0]:
                    best[edge.end] = score, edge
            start += character_width(text[start])
        path: list[Edge] = []
        while start > 0:
            path.append(best[start][1])  # type: ignore[index]
            start = path[-1].start
        return path[::-1]

    def rounded(self, score: float) -> float:
        """A sum in the precision of the variant."""
        return single(score) if self.variant == "sentencepiece" else score

    def ids_of(self, text: bytes, path: list[Edge]) -> list[tuple[int, int, int]]:
        """(start, end, id) of the tokens of a path, with unknown characters joined or as bytes."""
        found: list[tuple[int, int, int]] = []
        for start, end, id in self.fused(path):
            if id == self.unk_id:
                found += self.unknown_ids(text, start, end)
            else:
                found.append((start, end, id))
        return found

    def fused(self, path: list[Edge]) -> Iterator[tuple[int, int, int]]:
        """The path with adjacent unknown edges joined, but not where each becomes bytes alone."""
        waiting: tuple[int, int, int] | None = None
        apart = self.byte_fallback and self.variant == "sentencepiece"
        for start, end, id, _ in path:
            if waiting and waiting[2] == id == self.unk_id and not apart:
                waiting = waiting[0], end, id
                continue
            if waiting:
                yield waiting
            waiting = start, end, id
        if waiting:
            yield waiting

    def unknown_ids(self, text: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
        """Tokens of an unknown stretch: its bytes if all of them have tokens, or one unknown."""
        if self.variant == "huggingface" and text[start:end] in self.ids:
            return [(start, end, self.ids[text[start:end]])]
        if self.byte_fallback:
            ids = [self.byte_ids[byte] for byte in text[start:end]]
            if min(ids) >= 0:
                whole = self.variant == "huggingface"
                return [
                    (start, end, id) if whole else (start + k, start + k + 1, id)
                    for k, id in enumerate(ids)
                ]
        return [(start, end, self.unk_id)]  # type: ignore[list-item]

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the pieces and their byte spans (n, 2)."""
        if active_backend() == "numba":
            ids, ends = self.encode(pieces.data, pieces.spans)
            return ids, self.spans(pieces, ids, ends)
        rows: list[tuple[int, int, int]] = []
        for i, j in pieces.spans.tolist():
            rows += self.tokens_of(pieces.data, i, j)
        table = np.array(rows, np.int64).reshape(-1, 3)
        return table[:, 2].astype(np.int32), table[:, :2]

    def tokens_of(self, data: np.ndarray, i: int, j: int) -> list[tuple[int, int, int]]:
        """(start, end, id) of the tokens of one piece, the bytes i to j of `data`."""
        text = data[i:j].tobytes()
        return [(i + s, i + e, id) for s, e, id in self.ids_of(text, self.best_path(text))]

    def spans(self, pieces: Pieces, ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Byte spans (n, 2) of ids, where piece k has those up to ``ends[k]``."""
        from .bulk import spans_of_path

        widths, counts = self.lengths[ids], np.diff(ends, prepend=0)
        found = token_spans(widths, pieces.spans, ends)
        unclear = np.repeat(np.arange(len(counts)), counts)[widths == 0]
        for k in np.unique(unclear).tolist():
            i, j = pieces.spans[k].tolist()
            found[ends[k] - counts[k] : ends[k]] = spans_of_path(self, pieces.data, i, j)
        return found

    # -- the kernel ---------------------------------------------------------------------------

    def bulk(self, normalizer: Any, pre_tokenizer: Any) -> Any:
        """Encoding of many texts at once, where each stage before has a kernel or is not there."""
        from .bulk import bulk_encoder

        return bulk_encoder(self, normalizer, pre_tokenizer)

    def encode(
        self, data: np.ndarray, segments: np.ndarray, rule: str = "given"
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of the segments (s, 2) of `data`, cut into pieces by a named rule.

        Segment k has the ids ``ids[ends[k - 1] : ends[k]]``. "given": each segment is one piece.
        "metaspace": a piece begins at every ▁.
        """
        from .bulk import pieces_of_rule, with_room
        from .bulk_kernel import encode_unigram

        if rule in RULES[1:]:
            pieces, last = pieces_of_rule(data, segments, rule)
            ids, ends = self.encode(data, pieces)
            return ids, np.concatenate([[0], ends])[last]
        segments = np.ascontiguousarray(segments, np.int64)
        lengths = segments[:, 1] - segments[:, 0]
        out = np.empty(int(lengths.sum()) + 4, np.int32)
        ends = np.empty(len(segments), np.int64)
        memory = self._memories.take()
        roomy = with_room(memory, int(lengths.max(initial=0)))
        at = encode_unigram(data, segments, rule == "metaspace", self._model, roomy, out, ends)
        self._memories.give_back(memory)
        if at >= 0:
            width = character_width(int(data[at]))
            raise unknown(data[at : at + width].tobytes().decode(), at)
        ids = out[: ends[-1] if len(ends) else 0]
        return (ids.copy() if len(out) < 1 << 20 else ids), ends

    def forget(self) -> None:
        """Empty the memory of words seen."""
        self._memories.forget()

    @cached_property
    def _model(self) -> Any:
        """The pieces, as the kernel wants them."""
        from .bulk import kernel_model

        return kernel_model(self, -np.inf if self.variant == "huggingface" else LOWEST)

    @cached_property
    def _memories(self) -> Memories:
        from .bulk import memory_for

        return Memories(partial(memory_for, 1 << 12))

    # -- all the other segmentations ----------------------------------------------------------

    def lattice(self, text: bytes) -> Lattice:
        """All segmentations of a text."""
        edges: list[Edge] = []
        start = 0
        while start < len(text):
            edges += self.edges_from(text, start)
            start += character_width(text[start])
        return Lattice(len(text), edges)

    def n_best(self, text: bytes, n: int) -> list[tuple[list[int], float]]:
        """The n best segmentations: ids and score of each."""
        found = n_best(self.lattice(text), n)
        return [([id for *_, id in self.ids_of(text, path)], score) for path, score in found]

    def sample(
        self, text: bytes, alpha: float, nbest: int = -1, rng: random.Random | None = None,
        exact: bool = True,
    ) -> list[int]:
        """Ids of a random segmentation, drawn in proportion to its probability^alpha.

        nbest: from how many of the best (all if negative; 0 and 1 are the best one alone).
        exact=False draws from all as Hugging Face does.
        """
        rng = rng or random.Random()
        if nbest in (0, 1):
            path = self.best_path(text)
        elif nbest > 1:
            path = sample_n_best(self.lattice(text), nbest, alpha, rng)
        else:
            path = (sample if exact else sample_huggingface)(self.lattice(text), alpha, rng)
        return [id for *_, id in self.ids_of(text, path)]


def single(number: float) -> float:
    """The nearest float32."""
    return float(np.float32(number))
