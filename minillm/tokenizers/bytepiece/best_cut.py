"""BytePiece: a unigram model of byte strings, with no split rule at all (Su 2023).

``best_pieces`` and ``random_pieces`` are the definitions; ``BytePiece.encode`` runs whole texts
through a kernel.
"""

import math
import re
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ...backends import active_backend
from ..normalizers.unicode_forms import UnicodeForm
from ..text.segments import Pieces, UnknownTextError, as_utf8, token_spans

PAD, BOS, EOS = 0, 1, 2  # ids that stand for no text
MASK = (1 << 64) - 1


def cut_lines(text: str, longest: int | None = None, isolate_digits: bool = False) -> list[str]:
    """The segments of a text, each ending with its line feeds; joined they are the text.

    longest: characters of a segment without its line feeds, of which at most 100 stay together.

    >>> cut_lines("a1\\n\\nb2")
    ['a1\\n\\n', 'b2']
    """
    room = "*" if longest is None else f"{{,{longest}}}"
    some = "+" if longest is None else f"{{1,{longest}}}"
    feeds = "+" if longest is None else "{1,100}"
    plain = r"[^\n\d]" if isolate_digits else r"[^\n]"
    digit = r"\d|" if isolate_digits else ""
    return re.findall(f"{digit}{plain}{room}\\n{feeds}|{plain}{some}", text)


def log_probabilities(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """log of count / total, float64. A piece with count 0 has no part: minus infinity."""
    array = np.asarray(counts, np.int64)
    with np.errstate(divide="ignore"):
        return np.log(array) - np.log(array.sum())


def best_pieces(data: bytes, scores: Mapping[bytes, float], longest: int) -> list[bytes]:
    """The way to cut `data` into pieces whose scores have the greatest sum (Viterbi).

    ``best[start]`` is final when `start` is reached: all pieces that end there began before it.
    Among equally good ways into a place the first one found stays, the one with the longest piece.
    """
    best = [0.0] + [-math.inf] * len(data)
    start_of = [-1] * (len(data) + 1)
    for start in range(len(data)):
        for end in range(start + 1, min(start + longest, len(data)) + 1):
            score = best[start] + scores.get(data[start:end], -math.inf)
            if score > best[end]:
                best[end], start_of[end] = score, start
    return walk_back(data, start_of)


def walk_back(data: bytes, start_of: Sequence[int]) -> list[bytes]:
    """The pieces of a route: the last piece starts at ``start_of[len(data)]``, and so on."""
    pieces, end = [], len(data)
    while end > 0:
        start = start_of[end]
        if start < 0:
            raise UnknownTextError(
                f"no pieces make up the bytes {data[:end][-20:]!r}; the vocabulary lacks a byte"
            )
        pieces.append(data[start:end])
        end = start
    return pieces[::-1]


def random_pieces(
    data: bytes, scores: Mapping[bytes, float], longest: int, alpha: float,
    draw: Callable[[], float],
) -> list[bytes]:
    """A random way to cut `data`: each has a probability proportional to (its probability)^alpha.

    ``total[end]`` is the log of the sum over all ways into `end`. A new way takes the place of the
    one remembered with its share of that sum, so that each is kept with exactly its probability.
    """
    total = [0.0] + [-math.inf] * len(data)
    start_of = [-1] * (len(data) + 1)
    for start in range(len(data)):
        for end in range(start + 1, min(start + longest, len(data)) + 1):
            if data[start:end] in scores and total[start] > -math.inf:
                score = total[start] + alpha * scores[data[start:end]]
                total[end] = add_logs(total[end], score)
                if draw() < math.exp(score - total[end]):
                    start_of[end] = start
    return walk_back(data, start_of)


def add_logs(x: float, y: float) -> float:
    """log(exp x + exp y), where y is finite and x may be minus infinity."""
    return max(x, y) + math.log1p(math.exp(-abs(x - y)))


def uniform_draws(seed: int) -> Callable[[], float]:
    """A source of numbers in [0, 1): SplitMix64 (Steele, Lea and Flood 2014)."""
    state = seed & MASK

    def draw() -> float:
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & MASK
        x = state
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
        return ((x ^ (x >> 31)) >> 11) * 2.0**-53

    return draw


@dataclass(frozen=True)
class Lines:
    """Pre-tokenizer: cut after each run of line feeds."""

    def __call__(self, text: str) -> Pieces:
        data = np.frombuffer(as_utf8(text), np.uint8)
        ends = np.flatnonzero(data == 10) + 1
        ends = ends[np.append(data, 0)[ends] != 10]  # the last of each run
        edges = np.unique(np.concatenate([[0], ends, [len(data)]])).astype(np.int64)
        return Pieces(data, np.stack([edges[:-1], edges[1:]], 1))

DRAWING = threading.Lock()  # two calls must not draw from one state of random numbers at once


@dataclass(eq=False)
class BytePiece:
    """Byte strings and how often each occurred in training.

    vocabulary: bytes of each id (None where a number is not used; ids 0 to 2, padding, begin and
    end, stand for no bytes). counts: one per id; entries with count 0 are never found in text.
    alpha: None for the best segmentation, else random ones, see ``random_pieces``; `seed` sets
    the first of them.
    """

    vocabulary: list[bytes | None]
    counts: list[int]
    alpha: float | None = None
    seed: int = 0
    roles: ClassVar[dict[str, int]] = {"pad": PAD, "bos": BOS, "eos": EOS}
    _arrays: Any = field(default=None, repr=False, compare=False)
    _draw: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token}
        logs = log_probabilities(self.counts)
        self.scores = {
            token: float(logs[id]) for token, id in self.ids.items() if self.counts[id]
        }
        self.longest = max(map(len, self.scores), default=1)
        self.lengths = np.array([len(token or b"") for token in self.vocabulary], np.int64)

    def encode_piece(self, data: bytes) -> list[int]:
        """Ids of one segment."""
        if self.alpha is None:
            found = best_pieces(data, self.scores, self.longest)
        else:
            with DRAWING:
                self._draw = self._draw or uniform_draws(self.seed)
                found = random_pieces(data, self.scores, self.longest, self.alpha, self._draw)
        return [self.ids[piece] for piece in found]

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of all segments and the byte spans (n, 2) that they come from."""
        ids, ends = self.encode(pieces.data, pieces.spans)
        return ids, token_spans(self.lengths[ids], pieces.spans, ends)

    def bulk(self, normalizer: Any, pre_tokenizer: Any) -> Any:
        """Encoding of many texts at once: the kernel cuts them into lines itself."""
        plain = normalizer is None or normalizer == UnicodeForm("NFC")
        if active_backend() != "numba" or not plain or not isinstance(pre_tokenizer, Lines):
            return None
        if normalizer is None:
            return lambda data, segments: self._encode_fast(data, segments, True)
        return lambda data, segments: self._encode_fast(*composed(data, segments), True)

    def encode(self, data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends): segment k of `data` has the ids ``ids[ends[k - 1] : ends[k]]``."""
        if active_backend() == "numba":
            return self._encode_fast(data, segments, False)
        raw = data.tobytes()
        found = [self.encode_piece(raw[i:j]) for i, j in segments.tolist()]
        ids = np.array([id for row in found for id in row], np.int32)
        return ids, np.cumsum([len(row) for row in found], dtype=np.int64)

    def _encode_fast(
        self, data: np.ndarray, segments: np.ndarray, lines: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        from .trie import encode

        with nullcontext() if self.alpha is None else DRAWING:
            if self._arrays is None:
                self._arrays = self._build()
            trie, state = self._arrays
            return encode(trie, data, segments, lines, self.alpha, state)

    def _build(self) -> tuple[Any, np.ndarray]:
        from .trie import Trie

        tokens = sorted(self.scores)
        ids = np.array([self.ids[token] for token in tokens], np.int32)
        trie = Trie(tokens, ids)
        trie.set_scores(np.array([self.scores[token] for token in tokens]))
        return trie, np.array([self.seed & MASK], np.uint64)


def composed(data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The segments in Unicode's composed form (NFC); nothing is copied if they are in it."""
    from ..counting.distinct_pieces import joined
    from .trie_kernel import surely_composed

    if surely_composed(data):
        return data, segments
    raw = data.tobytes()
    if unicodedata.is_normalized("NFC", raw.decode()):
        return data, segments
    return joined([
        unicodedata.normalize("NFC", raw[i:j].decode()).encode() for i, j in segments.tolist()
    ])

