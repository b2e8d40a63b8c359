"""Training BytePiece (Su 2023): pieces from a byte n-gram model, then pruning until all are used.

``count_pieces`` and ``prune`` are the definition; the functions that end in ``_fast`` do the same
with kernels.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ...backends import active_backend
from ..counting.distinct_pieces import PieceCounter, blocks, joined
from ..counting.vocabulary_room import check_vocab_size, numbered
from ..decoders.streaming import KeepValid
from ..normalizers.unicode_forms import UnicodeForm
from ..stages import Stages
from .best_cut import BytePiece, Lines, best_pieces, cut_lines, log_probabilities
from .ngrams import ORDERS, NgramModel, conditional_logs, count_ngrams, cut_at_zeros, tag
from .trie import Trie, encode

Counts = dict[bytes, int]
SEGMENT = 10_000  # characters of a line that are looked at together


def split(kept: Counts, pieces: Counts) -> Counter[bytes]:
    """How often each piece of `kept` is a part of the pieces, cut by the model of `kept`."""
    parts: Counter[bytes] = Counter()
    scores = dict(zip(kept, log_probabilities(list(kept.values())).tolist()))
    longest = max(map(len, kept))
    for piece, count in pieces.items():
        for part in best_pieces(piece, scores, longest):
            parts[part] += count
    return parts


def without_waste(kept: Counts) -> Counts:
    """Cut every piece by the whole vocabulary, until no piece vanishes."""
    while len(used := split(kept, kept)) < len(kept):
        kept = dict(used)
    return dict(used)


def give_away(kept: Counts, pieces: Counts) -> Counts:
    """`kept` with the counts of all other pieces given to their parts."""
    parts = split(kept, {piece: n for piece, n in pieces.items() if piece not in kept})
    return {piece: count + parts[piece] for piece, count in kept.items()}


def prune(
    pieces: Mapping[bytes, int], sizes: Sequence[int], max_piece_length: int = 36,
    min_count: int = 2,
) -> list[Counts]:
    """Vocabularies of at most `sizes` pieces, greatest first, in which every piece is used.

    Rare and long pieces are cut by what is kept. Then each piece is cut by the whole vocabulary:
    those that are never found vanish.
    """
    pieces = {bytes([byte]): 1 for byte in range(256)} | dict(pieces)
    kept = {
        piece: count for piece, count in pieces.items()
        if len(piece) == 1 or (len(piece) <= max_piece_length and count >= min_count)
    }
    kept = without_waste(give_away(kept, pieces))
    found = []
    for size in sorted(sizes, reverse=True):
        if len(kept) > size:
            order = sorted(kept, key=lambda p: (len(p) > 1, -kept[p], -len(p), p))
            kept = without_waste(give_away({p: kept[p] for p in order[:size]}, kept))
        found.append(kept)
    return found


class Splitter:
    """``split`` for arrays: counts[k] is that of piece k of a sorted list, 0 if it is left out."""

    def __init__(self, pieces: list[bytes]):
        self.trie = Trie(pieces, np.arange(len(pieces), dtype=np.int32))
        self.data, self.spans = joined(pieces)

    def __call__(
        self, kept: np.ndarray, data: np.ndarray, spans: np.ndarray, counts: np.ndarray
    ) -> np.ndarray:
        self.trie.set_scores(log_probabilities(kept))
        ids, ends = encode(self.trie, data, spans, False, None, np.zeros(1, np.uint64))
        weights = np.repeat(counts, np.diff(ends, prepend=0))
        return np.bincount(ids, weights, len(kept)).astype(np.int64)

    def without_waste(self, kept: np.ndarray) -> np.ndarray:
        """Uses of the pieces once those that no cut uses are gone, and so on until none is."""
        while True:
            some = np.flatnonzero(kept)
            used = self(kept, self.data, self.spans[some], kept[some])
            if np.count_nonzero(used) == len(some):
                return used
            kept = used


def prune_fast(
    pieces: list[bytes], counts: np.ndarray, sizes: Sequence[int], max_piece_length: int = 36,
    min_count: int = 2,
) -> list[Counts]:
    """The same as ``prune`` from a kernel; `pieces` are different ones."""
    single = {bytes([byte]) for byte in range(256)}.difference(pieces)
    pieces, counts = [*pieces, *single], np.append(counts, np.ones(len(single), np.int64))
    lengths = np.array([len(piece) for piece in pieces])
    stay = (lengths == 1) | ((lengths <= max_piece_length) & (counts >= min_count))
    rest = np.flatnonzero(~stay)
    some = sorted(np.flatnonzero(stay).tolist(), key=pieces.__getitem__)
    lengths, kept = lengths[some], counts[some]
    splitter = Splitter([pieces[k] for k in some])
    kept = kept + splitter(kept, *joined([pieces[k] for k in rest]), counts[rest])
    kept = splitter.without_waste(kept)
    found = []
    for size in sorted(sizes, reverse=True):
        if np.count_nonzero(kept) > size:
            order = np.lexsort((-lengths, -kept, lengths > 1, kept == 0))
            chosen, others = np.zeros_like(kept), order[size : np.count_nonzero(kept)]
            chosen[order[:size]] = kept[order[:size]]
            spans = splitter.spans[others]
            chosen += splitter(chosen, splitter.data, spans, kept[others])
            kept = splitter.without_waste(chosen)
        found.append({pieces[some[k]]: int(kept[k]) for k in np.flatnonzero(kept)})
    return found


def training_segments(text: str, isolate_digits: bool = False) -> list[bytes]:
    """The parts of a text that the trainer looks at one by one."""
    text = unicodedata.normalize("NFC", text)
    return [part.encode() for part in cut_lines(text, SEGMENT, isolate_digits)]


def count_pieces(
    segments: list[bytes], order: int, min_count: int, whole_characters: bool
) -> Counter[bytes]:
    """The pieces that the n-gram model of the segments cuts them into."""
    model = conditional_logs(count_ngrams(segments, order), min_count)
    return Counter(
        piece for segment in segments
        for piece in cut_at_zeros(segment, tag(segment, model, order, whole_characters))
    )


def segment_blocks(
    texts: Iterable[str | Path], isolate_digits: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The training segments of texts: bytes and spans (n, 2), block by block."""
    for data, spans in blocks(texts):
        raw = data.tobytes()
        yield joined([
            segment for i, j in spans.tolist()
            for segment in training_segments(raw[i:j].decode(), isolate_digits)
        ])


def count_pieces_fast(
    parts: list[tuple[np.ndarray, np.ndarray]], order: int, min_count: int, whole_characters: bool
) -> tuple[list[bytes], np.ndarray]:
    """The same as ``count_pieces`` from kernels: the different pieces, and their counts."""
    model = NgramModel(parts, order, min_count)
    counter = PieceCounter("given")
    for data, spans in parts:
        counter.add(data, model.cut(data, spans, whole_characters))
    stored, offsets, counts = counter.words()
    raw = stored.tobytes()
    return [raw[i:j] for i, j in pairwise(offsets.tolist())], counts


def bytepiece_vocabularies(
    texts: Iterable[str | Path], sizes: Sequence[int], order: int = 6, max_piece_length: int = 36,
    min_count: int = 2, isolate_digits: bool = False, whole_characters: bool = True,
) -> list[Counts]:
    """A vocabulary, piece to count, for each size (pieces, at least 256), the greatest first."""
    if order not in ORDERS:
        raise ValueError(f"order={order!r}; expected {ORDERS.start} to {ORDERS.stop - 1}")
    parts = list(segment_blocks(texts, isolate_digits))
    if active_backend() == "numba":
        pieces, counts = count_pieces_fast(parts, order, min_count, whole_characters)
        return prune_fast(pieces, counts, sizes, max_piece_length, min_count)
    segments = [
        data[i:j].tobytes() for data, spans in parts for i, j in spans.tolist()
    ]
    table = count_pieces(segments, order, min_count, whole_characters)
    return prune(table, sizes, max_piece_length, min_count)


def train_bytepiece(
    texts: Iterable[str | Path], vocab_size: int = 10_000, special_tokens: Sequence[str] = (),
    order: int = 6, max_piece_length: int = 36, min_count: int = 2, isolate_digits: bool = False,
    whole_characters: bool = True,
) -> Stages:
    """Stages of a BytePiece tokenizer with at most `vocab_size` ids; there can be fewer.

    Ids 0 to 2 are padding, begin and end, which stand for no text; special tokens follow, then the
    pieces, ordered by length and bytes. The other options are those of bytepiece's Trainer
    (`whole_characters` is its ensure_unicode).
    """
    first = 3 + len(special_tokens)
    check_vocab_size(vocab_size, first + 256, f"256 bytes and {first} special ids")
    [pieces] = bytepiece_vocabularies(
        texts, [vocab_size - first], order, max_piece_length, min_count, isolate_digits,
        whole_characters,
    )
    tokens = sorted(pieces, key=lambda piece: (len(piece), piece))
    vocabulary = [b""] * 3 + [None] * len(special_tokens) + tokens
    counts = [0] * first + [pieces[token] for token in tokens]
    return bytepiece_stages(BytePiece(vocabulary, counts), numbered(special_tokens, 3))


def bytepiece_stages(model: BytePiece, special_tokens: dict[str, int]) -> Stages:
    """The stages around a BytePiece model."""
    return Stages(
        model, UnicodeForm("NFC"), Lines(), decoder=KeepValid(), special_tokens=special_tokens
    )
