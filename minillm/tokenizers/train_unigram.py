"""Training a unigram model: from a million seeds down to the vocabulary (Kudo 2018).

``learn_pieces`` is the definition. Two variants follow two reference libraries, whose results
differ: "huggingface" (tokenizers 0.23) and "sentencepiece" (0.2.3).
"""

from collections.abc import Callable, Mapping, Sequence

from .unigram import single
from .unigram_em import expect, log_probabilities, maximize, prune
from .unigram_seeds import END, character_counts, seeds

SEEDS = 1_000_000
SHRINK = 0.75
ROUNDS = 2  # of expectation and maximization between prunings
PENALTY = 1e-4


def learn_pieces(
    words: Sequence[str],
    counts: Sequence[int],
    vocab_size: int,
    required: Sequence[str],
    variant: str = "huggingface",
    followers: Sequence[str] | None = None,
    reserved: int = 0,
    valid: Callable[[str], bool] = bool,
    watch: Callable[..., object] = lambda *seen: None,
) -> dict[str, float]:
    """Pieces and their scores, the best first; with `reserved` other tokens they are `vocab_size`.

    words: different words, with how often each occurs and what follows it (by default the end of
    a text). required: characters that must be pieces, the most important first. watch is called
    with ("expect", scores, expected counts, objective) and ("prune", scores).
    """
    huggingface = variant == "huggingface"
    target = vocab_size * 11 // 10 if huggingface else int(vocab_size * 1.1)
    scores = first_scores(words, counts, variant, followers, valid)
    while True:
        for _ in range(ROUNDS):
            expected, objective = expect(words, counts, scores)
            watch("expect", scores, expected, objective)
            if not huggingface:
                expected[next(iter(scores))] += expected.pop("<UNK>", 0)
            scores = maximize(expected, list(scores))
        size = len(scores) + huggingface  # Hugging Face counts its unknown piece
        if huggingface and size <= target:
            break
        scores = prune(words, counts, scores, max(target, int(SHRINK * size)), variant)
        watch("prune", scores)
        if not huggingface and len(scores) <= target:
            break
    return final_pieces(scores, vocab_size - reserved, required, variant)


def first_scores(
    words: Sequence[str], counts: Sequence[int], variant: str,
    followers: Sequence[str] | None, valid: Callable[[str], bool],
) -> dict[str, float]:
    """Scores of all characters and seeds."""
    huggingface = variant == "huggingface"
    found = seeds(
        words, [1] * len(words) if huggingface else counts, followers or [END] * len(words),
        valid=valid, by_byte=not huggingface,
    )
    characters = {c: n for c, n in character_counts(words, counts).items() if valid(c)}
    return log_probabilities(characters | dict(list(found.items())[: SEEDS - len(characters)]))


def final_pieces(
    scores: Mapping[str, float], vocab_size: int, required: Sequence[str], variant: str
) -> dict[str, float]:
    """The required characters, then other pieces until there are `vocab_size`."""
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
