"""Training a unigram model on arrays: the same as ``learn_pieces``, with kernels.

All edges of all lattices are laid out once, from the sorted suffixes; pruning only takes edges out.
Nothing is looked up by its text.
"""

from typing import Any

import numpy as np

from ... import threads
from .expectation import ROUNDS, SHRINK, THRESHOLD, UNKNOWN_PENALTY, digamma, target_size
from .seed_pieces import FORBIDDEN, Validity
from .word_counts import Words, sorted_suffixes


class PieceTable:
    """Pieces with their scores, and the edges of all words.

    Piece i stands at text position ``places[i]`` and has ``sizes[i]`` characters. With
    huggingface piece 0 is not one, but what unknown characters are counted as.
    """

    def __init__(self, words: Words, variant: str, valid: Validity, most: int):
        self.words, self.huggingface = words, variant == "huggingface"
        order = sorted_suffixes(words, valid.longest + 1)
        order = order[~words.last[order]]
        nodes, weights = self.seeds(order, valid)
        low, size = nodes[:, 0], nodes[:, 2]
        ties = [-size, -low] if self.huggingface else [size, low, -words.bytes_of(order[low], size)]
        best = np.lexsort([*ties, -weights])
        counts = words.character_counts()
        allowed = (counts > 0) & (valid.classes_of(words.points) != FORBIDDEN)
        single = np.flatnonzero(allowed)[:: -1 if self.huggingface else 1]
        single = single[np.argsort(-counts[single], kind="stable")]
        best = best[: max(0, most - len(single)) if self.huggingface else most]
        self.lay_edges(order, np.ascontiguousarray(nodes[best]), single)
        self.score(np.concatenate([counts[single], weights[best]]))

    def seeds(self, order: np.ndarray, valid: Validity) -> tuple[np.ndarray, np.ndarray]:
        """Nodes (n, 4) int32 of the sorted suffixes (see ``inner_nodes``), and count × length."""
        from ..text.suffixes_kernel import inner_nodes

        words = self.words
        nodes = np.empty((max(len(order), 1), 4), np.int32)
        leads = [chr(point).encode("utf-8", "replace")[0] for point in words.points.tolist()]
        if self.huggingface:
            leads = list(range(len(leads)))
        ends = 0 if self.huggingface else int((words.alphabet[1:] <= 0).sum())
        found = inner_nodes(
            order, words.text, words.stops, valid.classes_of(words.points),
            np.array(leads, np.int32), ends, valid.longest, valid.place, valid.only_spaces,
            np.empty((valid.longest + 3, 2), np.int64), nodes,
        )
        nodes = nodes[:found]
        times = np.ones_like(words.counts) if self.huggingface else words.counts
        totals = np.concatenate([[0], np.cumsum(times[words.word_of[order]])])
        low, high, size, again = nodes.T
        return nodes, (totals[high] + totals[again] - 2 * totals[low]) * size

    def lay_edges(self, order: np.ndarray, nodes: np.ndarray, single: np.ndarray) -> None:
        """All edges of all words: starts (n + 1,), ids int32, lengths uint8."""
        from ..text.suffixes_kernel import fill_edges

        words, blank = self.words, int(self.huggingface)
        change = np.bincount(nodes[:, 0], minlength=len(order) + 1) - np.bincount(
            nodes[:, 1], minlength=len(order) + 1
        )
        number = np.zeros(len(words.text), np.int64)
        number[order] = np.cumsum(change)[:-1] + 1
        self.starts = np.concatenate([[0], np.cumsum(number)])
        self.ids = np.empty(self.starts[-1], np.int32)
        self.lengths = np.empty(self.starts[-1], np.uint8)
        characters = np.full(len(words.alphabet), -1, np.int32)
        characters[single] = np.arange(blank, blank + len(single))
        fill_edges(
            order, nodes, blank + len(single), characters, words.text, words.last,
            self.starts[:-1].copy(), self.ids, self.lengths,
        )
        first = np.zeros(len(words.alphabet), np.int64)
        first[words.text[~words.last][::-1]] = np.flatnonzero(~words.last)[::-1]
        zero = np.zeros(blank, np.int64)
        self.places = np.concatenate([zero, first[single], order[nodes[:, 0]]])
        self.sizes = np.concatenate([zero, np.ones(len(single), np.int64), nodes[:, 2]])

    def score(self, weights: np.ndarray) -> None:
        """Scores from weights: the logarithms of their shares."""
        blank = np.full(int(self.huggingface), np.nan)
        self.scores = np.concatenate([blank, np.log(weights) - np.log(weights.sum())])

    @property
    def unknown(self) -> float:
        """Score of a character that is no piece."""
        return float(np.nanmin(self.scores)) - UNKNOWN_PENALTY

    def scratch(self, kinds: str) -> tuple[np.ndarray, ...]:
        """Arrays of the length of the longest word: f float64, i int64."""
        longest = int(np.diff(self.words.offsets).max(initial=1))
        return tuple(np.zeros(longest + 1, np.float64 if k == "f" else np.int64) for k in kinds)

    def expect(self) -> tuple[np.ndarray, float]:
        """Expected counts (pieces,) and the objective."""
        from .expectation_kernel import Edges, expect_counts
        from .expectation_kernel import Words as Counted

        words, chances = self.words, (np.exp(self.scores), np.exp(self.unknown))
        counted = Counted(words.offsets, words.counts)
        edges = Edges(self.starts, self.ids, self.lengths)

        def part(first: int, after: int) -> tuple[np.ndarray, float]:
            expected = np.zeros(len(self.scores))
            return expected, expect_counts(
                first, after, counted, edges, *chances, expected, self.scratch("fifi")
            )

        expected, totals = zip(*self.in_threads(part, words.offsets))
        return np.sum(expected, 0), sum(totals) / words.counts.sum()

    def in_threads(self, part: Any, sizes: np.ndarray) -> list[Any]:
        """Results of ``part(first, after)`` for two halves of what `sizes` accumulates."""
        half = int(np.searchsorted(sizes, sizes[-1] // 2))
        ends = (half, len(sizes) - 1), (0, half)
        return threads.run(lambda k: part(*ends[k]), 2)

    def maximize(self, expected: np.ndarray) -> None:
        """New scores; pieces expected less than half a time are dropped."""
        kept = expected >= THRESHOLD
        kept[: int(self.huggingface)] = False
        total = digamma(expected[kept].sum(keepdims=True))
        self.scores = np.full(len(expected), np.nan)
        self.scores[kept] = digamma(expected[kept]) - total
        kept[: int(self.huggingface)] = True
        self.keep(np.flatnonzero(kept))

    def keep(self, chosen: np.ndarray) -> None:
        """Only the chosen pieces stay, in this order."""
        from .expectation_kernel import keep_edges

        renamed = np.full(len(self.scores) + 1, -1, np.int32)
        renamed[chosen] = np.arange(len(chosen))
        size = keep_edges(self.starts, self.ids, self.lengths, renamed)
        self.ids, self.lengths = self.ids[:size], self.lengths[:size]
        self.scores, self.places, self.sizes = (
            values[chosen] for values in (self.scores, self.places, self.sizes)
        )

    def prune(self, size: int) -> None:
        """Keep `size` pieces, as ``expectation.prune`` chooses them."""
        from .expectation_kernel import Edges, Pieces, count_best, losses_of
        from .expectation_kernel import Words as Counted

        words, losses = self.words, np.empty(len(self.scores))
        edges = Edges(self.starts, self.ids, self.lengths)
        pieces = Pieces(self.places, self.sizes, self.scores, self.unknown)
        counted, total = Counted(words.offsets, words.counts), float(words.counts.sum())
        bug = len(self.scores) if self.huggingface else 0

        def uses(first: int, after: int) -> np.ndarray:
            used = np.zeros(len(self.scores))
            count_best(first, after, counted, edges, pieces, used, self.scratch("fi"))
            return used

        def fill(first: int, after: int) -> None:
            room = self.scratch("fi")
            losses_of(first, after, pieces, edges, used, total, bug, room, losses)

        used = np.sum(self.in_threads(uses, words.offsets), 0)
        self.in_threads(fill, np.arange(len(losses) + 1))
        alone, better = np.isnan(losses), losses == -np.inf
        kept = alone | (better & (used > 0)) if self.huggingface else alone & (used > 0)
        others = np.flatnonzero(~alone & ~better & (used > 0))
        others = others[np.argsort(-losses[others], kind="stable")]
        first = np.flatnonzero(kept)
        self.keep(np.concatenate([first, others[: max(0, size - len(first))]]))

    def pieces(self) -> dict[str, float]:
        """The pieces as text, with their scores."""
        rows = zip(self.places.tolist(), self.sizes.tolist(), self.scores.tolist())
        return {self.words.piece(place, size): score for place, size, score in rows if size}


def learn_pieces_fast(
    words: Words, vocab_size: int, variant: str, valid: Validity, seeds: int, watch: Any
) -> dict[str, float]:
    """Scores of the last round, before the final choice."""
    table = PieceTable(words, variant, valid, seeds)
    target = target_size(vocab_size, variant)
    while True:
        for _ in range(ROUNDS):
            expected, objective = table.expect()
            watch("expect", table, expected, objective)
            table.maximize(expected)
        size = len(table.scores)
        if table.huggingface and size <= target:
            break
        table.prune(max(target, int(SHRINK * size)))
        watch("prune", table)
        if not table.huggingface and len(table.scores) <= target:
            break
    return table.pieces()
