"""A byte n-gram model, and cutting text with it: the first half of BytePiece's training.

The short functions are the definition. ``NgramModel`` does the same for large text with kernels.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ... import threads
from ..text.two_threads import halves

Ngrams = Mapping[bytes, float]
ORDERS = range(1, 8)  # an n-gram and its length must fit into 64 bits


def count_ngrams(segments: Iterable[bytes], order: int) -> Counter[bytes]:
    """How often each byte string of 0 to `order` bytes stands in the segments.

    The empty one stands at every byte. Bytes that never occur are counted once.
    """
    counts: Counter[bytes] = Counter()
    for segment in segments:
        for i in range(len(segment)):
            counts.update(segment[i : i + n] for n in range(min(order, len(segment) - i) + 1))
    for byte in range(256):
        if bytes([byte]) not in counts:
            counts[bytes([byte])] = 1
            counts[b""] += 1
    return counts


def conditional_logs(counts: Mapping[bytes, int], min_count: int = 2) -> dict[bytes, float]:
    """log p(last byte | the bytes before it) of each n-gram.

    N-grams of two bytes and more are left out if they occur fewer than `min_count` times.
    """
    logs = {
        ngram: float(np.log(count)) for ngram, count in counts.items()
        if count >= min_count or len(ngram) < 2
    }
    return {ngram: logs[ngram] - logs[ngram[:-1]] for ngram in logs if ngram}


def tag(segment: bytes, model: Ngrams, order: int, whole_characters: bool = True) -> list[int]:
    """The best state of each byte: its place in its piece, 0 to ``order - 1`` (the last stays).

    The score of a byte in state s is the conditional log-probability of the s + 1 bytes that end
    there; a new piece, state 0, may begin anywhere, but with `whole_characters` not inside a
    character.
    """
    scores, routes = [-math.inf] * order, []
    scores[0] = emission(segment, 0, 0, model, whole_characters)
    for i in range(1, len(segment)):
        best, come_from = [-math.inf] * order, [0] * order
        for state in range(order):
            gain = emission(segment, i, state, model, whole_characters)
            for before in range(order):
                if state not in (0, min(before + 1, order - 1)):
                    continue
                if scores[before] + gain > best[state]:
                    best[state], come_from[state] = scores[before] + gain, before
        scores = best
        routes.append(come_from)
    states = [scores.index(max(scores))]
    for come_from in reversed(routes):
        states.append(come_from[states[-1]])
    return states[::-1]


def emission(
    segment: bytes, i: int, state: int, model: Ngrams, whole_characters: bool
) -> float:
    """The score of byte i in a state."""
    if state > i or (state == 0 and whole_characters and segment[i] & 0xC0 == 0x80):
        return -math.inf
    return model.get(segment[i - state : i + 1], -math.inf)


def cut_at_zeros(segment: bytes, states: Sequence[int]) -> list[bytes]:
    """The pieces of a segment: each begins in state 0.

    >>> cut_at_zeros(b"abcd", [0, 1, 0, 1])
    [b'ab', b'cd']
    """
    edges = [i for i, state in enumerate(states) if state == 0] + [len(segment)]
    return [segment[i:j] for i, j in pairwise(edges)]


class NgramModel:
    """The counts of all n-grams of `blocks`, and ``cut``, which finds the pieces of a block.

    Only the longest n-grams are counted; the counts of shorter ones are sums of theirs, because
    in sorted order all that begin alike stand together. `values` has one row of `order` conditional
    log-probabilities for each way in which a place in the text can go on, (rows, order) float64.
    """

    def __init__(
        self, blocks: Iterable[tuple[np.ndarray, np.ndarray]], order: int, min_count: int
    ):
        self.order = order
        table = np.zeros((1 << 16, 2), np.uint64)
        used = 0
        for data, spans in blocks:
            table, used = count_block(table, used, data, spans, order)
        slots = np.flatnonzero(table[:, 0])
        slots = slots[np.argsort(table[slots, 0])]
        self._fill(table, slots, min_count)
        self.table = table

    def _fill(self, table: np.ndarray, slots: np.ndarray, min_count: int) -> None:
        from .ngrams_kernel import fill_rows, prefix_nodes

        keys, counts = table[slots, 0], table[slots, 1].astype(np.int64)
        sizes = (keys & np.uint64(7)).astype(np.int64)
        room = int(sizes.sum()) + 1
        parents, depths = np.empty(room, np.int32), np.empty(room, np.uint8)
        sums = np.zeros(room, np.int64)
        path = np.zeros(self.order + 1, np.int32)
        nodes = prefix_nodes(keys, counts, path, parents, depths, sums)
        parents, depths, sums = parents[:nodes], depths[:nodes], sums[:nodes]
        sums[0] += 256 - np.count_nonzero(depths == 1)
        logs = np.log(sums)
        logs[1:] -= logs[parents[1:]]
        logs[(depths > 1) & (sums < min_count)] = -np.inf
        rows = np.empty(len(keys), np.uint64)
        values = np.empty((len(keys), self.order))
        count = fill_rows(keys, path, logs, np.full(nodes, -1, np.int32), rows, values)
        self.values = values[:count]
        table[slots, 1] = rows

    def cut(
        self, data: np.ndarray, spans: np.ndarray, whole_characters: bool = True
    ) -> np.ndarray:
        """Spans (n, 2) of the pieces of the segments `spans` of `data`."""
        parts, _ = halves(data, spans, False)
        return np.concatenate(threads.run(
            lambda k: self._cut_part(data, parts[k], whole_characters), len(parts)
        ))

    def _cut_part(
        self, data: np.ndarray, spans: np.ndarray, whole_characters: bool
    ) -> np.ndarray:
        from .ngrams_kernel import cut as kernel

        longest = int((spans[:, 1] - spans[:, 0]).max(initial=0))
        pieces = np.empty((int((spans[:, 1] - spans[:, 0]).sum()), 2), np.int64)
        count = kernel(
            data, spans, self.order, self.table, self.values, whole_characters,
            np.empty(longest, np.int64), np.empty(longest, np.uint8), np.empty(self.order),
            pieces,
        )
        return pieces[:count]


def count_block(
    table: np.ndarray, used: int, data: np.ndarray, spans: np.ndarray, order: int
) -> tuple[np.ndarray, int]:
    """Add the n-grams of a block to the table, a larger one where it has become too small."""
    from .ngrams_kernel import count, move

    progress = np.array([0, used], np.int64)
    while count(data, spans, order, table, progress):
        larger = np.zeros((4 * len(table), 2), np.uint64)
        move(table, larger)
        table = larger
    return table, int(progress[1])
