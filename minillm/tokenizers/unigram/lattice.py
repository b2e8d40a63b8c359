"""The lattice of a text: all ways to cut it into pieces, and what can be asked of them.

An edge is a piece with its place and its score, a log-probability. A path of edges from 0 to the
end is one segmentation; its score is the sum of theirs. Kudo 2018, section 3.2; the exact n-best
search is Nagata 1994's: forward dynamic programming, backward A*.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable
from typing import Any, NamedTuple


class Edge(NamedTuple):
    """A piece from byte `start` to byte `end`, with its id (or its text) and score."""

    start: int
    end: int
    id: Any
    score: float


class Lattice:
    """Edges of a text of `length` bytes; ``starting[i]`` and ``ending[i]`` list those at byte i."""

    def __init__(self, length: int, edges: Iterable[Edge]):
        self.length = length
        self.starting: list[list[Edge]] = [[] for _ in range(length + 1)]
        self.ending: list[list[Edge]] = [[] for _ in range(length + 1)]
        for edge in sorted(edges, key=lambda edge: edge[:2]):
            self.starting[edge.start].append(edge)
            self.ending[edge.end].append(edge)

    def edges(self) -> list[Edge]:
        """All edges, from left to right."""
        return [edge for row in self.starting for edge in row]


def log_add(values: list[float]) -> float:
    """log Σ exp(values), without overflow; −inf for none."""
    top = max(values, default=-math.inf)
    if top == -math.inf:
        return top
    return top + math.log(sum(math.exp(value - top) for value in values))


def best_scores(lattice: Lattice) -> list[float]:
    """Viterbi: the score of the best path from 0 to each byte."""
    best = [0.0] + [-math.inf] * lattice.length
    for i in range(1, lattice.length + 1):
        best[i] = max((best[e.start] + e.score for e in lattice.ending[i]), default=-math.inf)
    return best


def best_path(lattice: Lattice) -> list[Edge]:
    """The path of greatest score; among equals the one whose last pieces start earliest."""
    best, path, i = best_scores(lattice), [], lattice.length
    while i > 0:
        path.append(max(lattice.ending[i], key=lambda e: (best[e.start] + e.score, -e.start)))
        i = path[-1].start
    return path[::-1]


def forward(lattice: Lattice, theta: float = 1.0) -> list[float]:
    """log α: the log of the summed probability^θ of all paths from 0 to each byte."""
    alpha = [0.0] + [-math.inf] * lattice.length
    for i in range(1, lattice.length + 1):
        alpha[i] = log_add([alpha[e.start] + theta * e.score for e in lattice.ending[i]])
    return alpha


def backward(lattice: Lattice) -> list[float]:
    """log β: the same for all paths from each byte to the end."""
    beta = [-math.inf] * lattice.length + [0.0]
    for i in range(lattice.length - 1, -1, -1):
        beta[i] = log_add([e.score + beta[e.end] for e in lattice.starting[i]])
    return beta


def marginals(lattice: Lattice) -> tuple[dict[Edge, float], float]:
    """How probable it is that a segmentation uses each edge, and log P(text), over all paths."""
    alpha, beta = forward(lattice), backward(lattice)
    total = alpha[-1]
    used = {e: math.exp(alpha[e.start] + e.score + beta[e.end] - total) for e in lattice.edges()}
    return used, total


def n_best(lattice: Lattice, n: int) -> list[tuple[list[Edge], float]]:
    """The n paths of greatest score, best first, with their scores.

    Paths grow from the end. A partial path is ranked by what it has and the best that can still
    stand before it, which is known exactly, so complete paths leave the queue in order.
    """
    best = best_scores(lattice)
    queue: list[tuple[float, int, int, float, tuple]] = [(-best[-1], 0, lattice.length, 0.0, ())]
    found: list[tuple[list[Edge], float]] = []
    pushed = 0
    while queue and len(found) < n:
        _, _, i, score, path = heapq.heappop(queue)
        if i == 0:
            found.append((unlinked(path), score))
            continue
        for edge in lattice.ending[i]:
            if best[edge.start] > -math.inf:
                pushed += 1
                after = score + edge.score
                rank = -(best[edge.start] + after)
                heapq.heappush(queue, (rank, pushed, edge.start, after, (edge, path)))
    return found


def unlinked(path: tuple) -> list[Edge]:
    """(first, (second, (…))) as a list."""
    edges = []
    while path:
        edge, path = path
        edges.append(edge)
    return edges


def sample(lattice: Lattice, theta: float, rng: random.Random) -> list[Edge]:
    """A path drawn with probability ∝ P(path)^θ: filter forwards, draw backwards."""
    alpha = forward(lattice, theta)
    return draw_backwards(lattice, alpha, theta, rng)


def sample_huggingface(lattice: Lattice, theta: float, rng: random.Random) -> list[Edge]:
    """As Hugging Face tokenizers draws: θ multiplies α anew at every step.

    For θ = 1 this is exact; otherwise what lies far back counts for less than it should.
    """
    alpha = distorted_forward(lattice, theta)
    return draw_backwards(lattice, alpha, theta, rng)


def distorted_forward(lattice: Lattice, theta: float) -> list[float]:
    """α with θ·(score + α) summed, where θ·score + α belongs."""
    alpha = [0.0] + [-math.inf] * lattice.length
    for i in range(1, lattice.length + 1):
        alpha[i] = log_add([theta * (alpha[e.start] + e.score) for e in lattice.ending[i]])
    return alpha


def draw_backwards(
    lattice: Lattice, alpha: list[float], theta: float, rng: random.Random
) -> list[Edge]:
    """From the end: the last piece in proportion to exp(α before it + θ·score), and so on."""
    path: list[Edge] = []
    i = lattice.length
    while i > 0:
        edges = lattice.ending[i]
        logs = [alpha[e.start] + theta * e.score for e in edges]
        top = max(logs)
        path.append(rng.choices(edges, [math.exp(value - top) for value in logs])[0])
        i = path[-1].start
    return path[::-1]


def sample_n_best(lattice: Lattice, n: int, theta: float, rng: random.Random) -> list[Edge]:
    """One of the n best paths, with probability ∝ P(path)^θ among them (Kudo 2018)."""
    found = n_best(lattice, n)
    weights = [math.exp(theta * (score - found[0][1])) for _, score in found]
    return rng.choices(found, weights)[0][0]
