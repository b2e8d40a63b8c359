"""Training a unigram model: from a million seeds down to the vocabulary (Kudo 2018).

``learn_pieces`` is the definition. Two variants follow two reference libraries, whose results
differ: "huggingface" (tokenizers 0.23) and "sentencepiece" (0.2.3). For other trainers:

    train_pieces(words: Words, vocab_size, required, variant, reserved=0, valid=Validity())
        -> {piece: score}, the best first

where ``Words`` (unigram_words.py) holds the different words with their counts, ``vocab_size`` is
the whole vocabulary with ``reserved`` tokens that are no pieces, ``required`` lists the characters
that must be pieces, the most frequent first, and ``Validity`` (unigram_seeds.py) says which strings
may be pieces. ``words_of_lines`` makes Words of normalized lines that contain ▁.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..backend import active_backend
from .unigram import single
from .unigram_em import UNKNOWN, expect, log_probabilities, maximize, prune
from .unigram_fast import learn_pieces_fast
from .unigram_seeds import Validity, character_counts, seeds
from .unigram_words import END, Words

SEEDS = 1_000_000
SHRINK = 0.75
ROUNDS = 2  # of expectation and maximization between prunings
PENALTY = 1e-4
Watch = Callable[..., object]


def nothing(*seen: Any) -> None:
    """Watch nothing."""


def train_pieces(
    words: Words, vocab_size: int, required: Sequence[str], variant: str = "huggingface",
    reserved: int = 0, valid: Validity | None = None, watch: Watch = nothing,
) -> dict[str, float]:
    """Pieces and their scores, the best first; with `reserved` other tokens they are `vocab_size`.
    """
    valid = valid or Validity()
    if active_backend() == "numba":
        scores = learn_pieces_fast(words, vocab_size, variant, valid, SEEDS, watch)
    else:
        found, counts, followers = words.strings()
        scores = learn_pieces(found, counts, vocab_size, variant, followers, valid, watch)
    return final_pieces(scores, vocab_size - reserved, required, variant)


def target_size(vocab_size: int, variant: str) -> int:
    """Pieces at which pruning ends: a tenth more than are wanted."""
    return vocab_size * 11 // 10 if variant == "huggingface" else int(vocab_size * 1.1)


def learn_pieces(
    words: Sequence[str],
    counts: Sequence[int],
    vocab_size: int,
    variant: str = "huggingface",
    followers: Sequence[str] | None = None,
    valid: Callable[[str], bool] = bool,
    watch: Watch = nothing,
) -> dict[str, float]:
    """Pieces and scores, some more than `vocab_size`: expectation, maximization and pruning.

    words: different words, with how often each occurs and what follows it (by default the end of
    a text). watch is called with ("expect", scores, expected counts, objective) and ("prune",
    scores).
    """
    huggingface = variant == "huggingface"
    target = target_size(vocab_size, variant)
    scores = first_scores(words, counts, variant, followers, valid)
    while True:
        for _ in range(ROUNDS):
            expected, objective = expect(words, counts, scores)
            watch("expect", scores, expected, objective)
            if not huggingface:  # unknown characters are credited to the first piece
                expected[next(iter(scores))] += expected.pop(UNKNOWN, 0)
            scores = maximize(expected, list(scores))
        size = len(scores) + huggingface  # Hugging Face counts its unknown piece
        if huggingface and size <= target:
            break
        scores = prune(words, counts, scores, max(target, int(SHRINK * size)), variant)
        watch("prune", scores)
        if not huggingface and len(scores) <= target:
            break
    return scores


def first_scores(
    words: Sequence[str], counts: Sequence[int], variant: str,
    followers: Sequence[str] | None, valid: Callable[[str], bool],
) -> dict[str, float]:
    """Scores of all characters and seeds.

    Substrings are counted with repetition, but by Hugging Face once in each different word.
    """
    huggingface = variant == "huggingface"
    found = seeds(
        words, [1] * len(words) if huggingface else counts, followers or [END] * len(words),
        valid=valid, by_byte=not huggingface,
    )
    characters = {c: n for c, n in character_counts(words, counts).items() if valid(c)}
    return log_probabilities(
        in_order(characters, huggingface)
        | dict(list(in_order(found, huggingface).items())[: max(0, SEEDS - len(characters))])
    )


def in_order(weights: Mapping[str, int], last_first: bool) -> dict[str, int]:
    """The greatest first; among equals the last or the first in the order of code points."""
    ordered = sorted(weights, reverse=last_first)
    return {piece: weights[piece] for piece in sorted(ordered, key=lambda p: -weights[p])}


def final_pieces(
    scores: Mapping[str, float], vocab_size: int, required: Sequence[str], variant: str
) -> dict[str, float]:
    """The required characters, then other pieces until there are `vocab_size`.

    Hugging Face takes them in the order of the last pruning, SentencePiece by score.
    """
    final: dict[str, float] = {}
    missing = 0
    others = list(scores)
    if variant == "sentencepiece":
        scores = {piece: single(score) for piece, score in scores.items()}
        others.sort(key=lambda piece: (-scores[piece], piece))
    for character in required:
        final[character] = scores.get(character, min(scores.values()) + PENALTY * missing)
        missing += character not in scores
    others = [piece for piece in others if piece not in final]
    final |= {piece: scores[piece] for piece in others[: max(0, vocab_size - len(final))]}
    return {piece: final[piece] for piece in sorted(final, key=lambda p: (-final[p], p))}
