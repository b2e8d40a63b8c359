"""The trie of a BytePiece vocabulary, as arrays, and encoding with it: the side of Python."""

from itertools import pairwise

import numpy as np

from ... import threads
from ..text.segments import UnknownTextError
from ..text.two_threads import halves

MOST = 64  # pieces that begin at one place, for the faster search

class Trie:
    """A double-array trie of sorted, different pieces; ids[k] is the id of piece k."""

    def __init__(self, tokens: list[bytes], ids: np.ndarray):
        from .trie_kernel import FREE, UNIT, build

        data = np.frombuffer(b"".join(tokens) or b"\0", np.uint8)
        lengths = np.array([len(token) for token in tokens], np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.nodes = np.zeros(len(tokens), np.int32)
        nodes = 1 + sum(
            len(token) - shared(before, token) for before, token in pairwise([b"", *tokens])
        )
        places, used = (nodes * 5 // 4 + 1023) // 256 * 256, -1
        while used < 0:
            units = np.zeros(places, UNIT)
            units["parent"], units["score"] = FREE, -np.inf
            used = build(
                data, starts, units, self.nodes, np.empty((nodes, 4), np.int32),
                np.empty(256, np.int32), np.empty(257, np.int32),
            )
            places += places // 2 // 256 * 256 + 256
        self.units = units
        self.fast = self._fast(tokens, lengths)
        self.node_ids = np.full(len(units), -1, np.int32)
        self.node_ids[self.nodes] = ids

    def set_scores(self, scores: np.ndarray) -> None:
        """scores[k]: that of piece k; minus infinity takes it out."""
        self.units["score"][self.nodes] = scores
        self.fast[2][:] = self.units["score"]

    def _fast(self, tokens: list[bytes], lengths: np.ndarray) -> tuple[np.ndarray, ...]:
        """The arrays of the faster search, for vocabularies with all bytes and no long chains."""
        from .blocks_kernel import BLOCK, first_two

        width = 2 + longest_chain(tokens)
        walk, pairs = np.empty(0, np.uint64), np.empty(0, np.uint64)
        if np.count_nonzero(lengths == 1) == 256 and width <= MOST:
            walk = self.units["base"].astype(np.uint64) << np.uint64(32)
            walk |= self.units["parent"].view(np.uint32)
            walk[self.nodes] |= np.uint64(1 << 63)
            pairs = np.empty(1 << 16, np.uint64)
            first_two(walk, pairs)
        else:
            width = 1
        places, nodes, counts = (np.empty(BLOCK, np.uint64) for _ in range(3))
        found = np.empty(BLOCK * width, np.uint64)
        return walk, pairs, np.full(len(self.units), -np.inf), places, nodes, found, counts


def longest_chain(tokens: list[bytes]) -> int:
    """The most pieces of which each begins the next; sorted ones stand one after another."""
    longest = 0
    chain: list[bytes] = []
    for token in tokens:
        while chain and not token.startswith(chain[-1]):
            chain.pop()
        chain.append(token)
        longest = max(longest, len(chain))
    return longest


def shared(a: bytes, b: bytes) -> int:
    """Length of the common beginning."""
    n = min(len(a), len(b))
    if a[:n] == b[:n]:
        return n
    k = 0
    while a[k] == b[k]:
        k += 1
    return k


def encode(
    trie: Trie, data: np.ndarray, segments: np.ndarray, lines: bool, alpha: float | None,
    state: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of the segments (n, 2) of `data`; `state` of the random draws is updated.

    Large text is shared between two threads, except with `alpha`, where draws have an order.
    """
    segments = np.ascontiguousarray(segments, np.int64)
    parts, inside = [segments], False
    if alpha is None:
        parts, inside = halves(data, segments, lines)
    found = threads.run(
        lambda k: encode_part(trie, data, parts[k], lines, alpha, state), len(parts)
    )
    if len(found) == 1:
        return found[0]
    (ids, ends), (more, later) = found
    ends = ends[:-1] if inside else ends
    return np.concatenate([ids, more]), np.concatenate([ends, later + len(ids)])


def encode_part(
    trie: Trie, data: np.ndarray, segments: np.ndarray, lines: bool, alpha: float | None,
    state: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """``encode`` in one thread."""
    from .trie_kernel import encode as kernel

    room = int((segments[:, 1] - segments[:, 0]).sum())
    out, ends = np.empty(room, np.int32), np.empty(len(segments), np.int64)
    fast = (*trie.fast[:3], *(np.empty_like(array) for array in trie.fast[3:]))
    progress = np.zeros(3, np.int64)
    longest = 1 << 14
    while longest:
        scores, routes = np.empty(longest + 1), np.empty(longest + 1, np.uint64)
        longest = kernel(
            data, segments, lines, trie.units, fast, trie.node_ids, scores, routes,
            -1.0 if alpha is None else float(alpha), state, out, ends, progress,
        )
        if longest < 0:
            i = int(progress[1])
            raise UnknownTextError(
                f"text has {data[i : i + 20].tobytes()!r} at byte {i}, which no pieces make up; "
                "the vocabulary lacks a byte"
            )
        longest *= 2
    ids = out[: progress[2]]
    return (ids.copy() if room < 1 << 20 else ids), ends
