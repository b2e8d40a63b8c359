"""Expectation, maximization and pruning of a unigram model (Kudo 2018, section 3.2).

The definitions, on dictionaries of pieces and scores; ``array_training`` does the same on arrays.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .lattice import Edge, Lattice, best_path, marginals, n_best
from .most_probable import single

UNKNOWN_PENALTY = 10.0
THRESHOLD = 0.5  # expected occurrences below which a piece is dropped
SHRINK = 0.75  # the share of the pieces that a pruning keeps
ROUNDS = 2  # of expectation and maximization between prunings
UNKNOWN = "<UNK>"  # what an unknown character is counted as


def lattice_of(word: str, scores: Mapping[str, float]) -> Lattice:
    """The lattice of a word; an edge's id is its piece, positions are characters.

    A character that is no piece of its own may be covered by an edge that scores worse than all.
    """
    unknown, longest = min(scores.values()) - UNKNOWN_PENALTY, max(map(len, scores))
    edges = []
    for i in range(len(word)):
        for j in range(i + 1, min(i + longest, len(word)) + 1):
            if word[i:j] in scores:
                edges.append(Edge(i, j, word[i:j], scores[word[i:j]]))
            elif j == i + 1:
                edges.append(Edge(i, j, UNKNOWN, unknown))
    return Lattice(len(word), edges)


def log_probabilities(weights: Mapping[str, float]) -> dict[str, float]:
    """Scores in proportion to weights: log(w / Σw)."""
    total = math.log(sum(weights.values()))
    return {piece: math.log(weight) - total for piece, weight in weights.items()}


def expect(
    words: Sequence[str], counts: Sequence[int], scores: Mapping[str, float]
) -> tuple[dict[str, float], float]:
    """E step: how often each piece is expected to be used, over all segmentations of all words.

    Also the objective, the mean of −log P(word).
    """
    expected: dict[str, float] = defaultdict(float)
    objective = 0.0
    for word, count in zip(words, counts):
        used, log_probability = marginals(lattice_of(word, scores))
        for edge, probability in used.items():
            expected[edge.id] += count * probability
        objective -= count * log_probability
    return expected, objective / sum(counts)


def digamma(x: Any) -> Any:
    """ψ(x), the derivative of log Γ, of each number; about log(x − ½), but far lower near 0."""
    x = np.array(x, np.float64)
    result = np.zeros_like(x)
    while (small := x < 7).any():
        result[small] -= 1 / x[small]
        x[small] += 1
    x -= 0.5
    series = 1 / 24 / x**2 - 7 / 960 / x**4 + 31 / 8064 / x**6 - 127 / 30720 / x**8
    return result + np.log(x) + series


def maximize(expected: Mapping[str, float], pieces: Sequence[str]) -> dict[str, float]:
    """M step: scores from expected counts; pieces that are hardly expected at all are dropped.

    score = ψ(c) − ψ(Σc), not log c − log Σc: the mean of log p where p is Dirichlet-distributed
    with the parameters c, which takes from rare pieces and leaves frequent ones almost alone.
    """
    kept = {piece: expected[piece] for piece in pieces if expected[piece] >= THRESHOLD}
    total = digamma(sum(kept.values()))
    return {piece: float(digamma(count) - total) for piece, count in kept.items()}


def best_counts(
    words: Sequence[str], counts: Sequence[int], scores: Mapping[str, float]
) -> Counter:
    """How often each piece is used when every word is cut in the best way."""
    used: Counter = Counter()
    for word, count in zip(words, counts):
        for edge in best_path(lattice_of(word, scores)):
            used[edge.id] += count
    return used


def alternative(piece: str, scores: Mapping[str, float]) -> tuple[list[str] | None, bool]:
    """The best way to write a piece with others (None: there is none), and whether it is better."""
    paths = n_best(lattice_of(piece, scores), 2)
    if len(paths) == 1:
        return None, False
    if len(paths[0][0]) > 1:
        return None, True
    return [edge.id for edge in paths[1][0]], False


def loss_without(
    piece: str, others: Sequence[str], used: Mapping[str, float], words: float, bug: int = 0
) -> float:
    """By how much the mean −log P of a word rises when `others` take the place of `piece`.

    used: how often each piece is used; its f uses go to each of the others. bug: Hugging Face's
    number of pieces, where the number of `others` belongs.
    """
    f, total = used[piece], sum(used.values())
    after = math.log(total + f * ((bug or len(others)) - 1))
    alternatives = sum(math.log(used[other] + f) - after for other in others)
    return f / words * (math.log(f) - math.log(total) - alternatives)


def rounded_loss(piece: str, others: Sequence[str], used: Mapping[str, float]) -> float:
    """The same for a mean over pieces, with SentencePiece's roundings to float32.

    It depends on whole numbers alone, so that pieces used alike tie exactly.
    """
    f, total = used[piece], sum(used.values())
    after = single(math.log(total + f * (len(others) - 1)))
    alternatives = 0.0
    for other in others:
        alternatives = single(alternatives + (math.log(used[other] + f) - after))
    alone = single(math.log(f) - single(math.log(total)))
    return single(single(f / total) * single(alone - alternatives))


def prune(
    words: Sequence[str], counts: Sequence[int], scores: Mapping[str, float], size: int,
    variant: str,
) -> dict[str, float]:
    """The pieces that cannot be written otherwise, then those whose loss is greatest, up to `size`.

    Pieces that no best segmentation uses go first.
    """
    used = best_counts(words, counts, scores)
    huggingface = variant == "huggingface"
    if not huggingface:  # unknown characters are counted as the first piece
        used[next(iter(scores))] += used.pop(UNKNOWN, 0)
    kept, losses = [], {}
    for piece in scores:
        others, better = alternative(piece, scores)
        if others is None:
            if (used[piece] or not better) if huggingface else (used[piece] and not better):
                kept.append(piece)
        elif used[piece]:
            first = next(iter(scores))
            others = [first if o == UNKNOWN and not huggingface else o for o in others]
            if huggingface:
                losses[piece] = loss_without(piece, others, used, sum(counts), len(scores) + 1)
            else:
                losses[piece] = rounded_loss(piece, others, used)
    worst_first = sorted(losses, key=lambda piece: -losses[piece])
    room = max(0, size - len(kept) - huggingface)
    return {piece: scores[piece] for piece in kept + worst_first[:room]}


def target_size(vocab_size: int, variant: str) -> int:
    """Pieces at which pruning ends: a tenth more than are wanted."""
    return vocab_size * 11 // 10 if variant == "huggingface" else int(vocab_size * 1.1)
