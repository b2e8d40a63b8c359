"""Training a unigram model: from a million seeds down to the vocabulary (Kudo 2018).

``learn_pieces`` is the definition. Two variants follow two reference libraries, whose results
differ: "huggingface" (tokenizers 0.23) and "sentencepiece" (0.2.3). For other trainers:

    train_pieces(words: Words, vocab_size, required, variant, reserved=0, valid=Validity())
        -> {piece: score}, the best first

where ``Words`` (word_counts.py) holds the different words with their counts, ``vocab_size`` is
the whole vocabulary with ``reserved`` tokens that are no pieces, ``required`` lists the characters
that must be pieces, the most frequent first, and ``Validity`` (seed_pieces.py) says which strings
may be pieces. ``words_of_lines`` makes Words of normalized lines that contain ▁.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backends import active_backend
from ..counting.distinct_pieces import PieceCounter, blocks, word_counts
from ..counting.vocabulary_room import Texts, check_vocab_size, numbered, without_specials
from ..decoders.joining import Join, JoinMarked
from ..pre_tokenizers.metaspace import Metaspace, split_at_marks, with_mark
from ..pre_tokenizers.rewriting_many import with_marks
from ..pre_tokenizers.split_rules import Split
from ..stages import Stages
from .array_training import learn_pieces_fast
from .expectation import (
    ROUNDS,
    SHRINK,
    UNKNOWN,
    expect,
    log_probabilities,
    maximize,
    prune,
    target_size,
)
from .most_probable import Unigram, single
from .seed_pieces import MAX_CHARACTERS, Validity, character_counts, seeds
from .word_counts import END, Words, spans_of_words

SEEDS = 1_000_000
PENALTY = 1e-4
Watch = Callable[..., object]


def train_unigram(
    texts: Texts, vocab_size: int, special_tokens: Sequence[str] = (),
    unk_token: str | None = "<unk>", pattern: str | None = None, variant: str = "huggingface",
    watch: Watch | None = None,
) -> Stages:
    """A unigram model of words that begin with ▁ in place of the space before them.

    pattern: another way to cut text into words, a named rule or a regular expression. variant:
    the arithmetic and the details of "huggingface" or "sentencepiece". Ids: special tokens, then
    pieces, the most probable first. Without unk_token text with other characters is an error.
    """
    specials = list(special_tokens)
    if unk_token is not None and unk_token not in specials:
        specials.insert(0, unk_token)
    words = Words.of_bytes(*word_counts(texts, pattern)) if pattern else words_of_marks(texts)
    counts = words.character_counts()
    order = np.argsort(-counts, kind="stable")
    required = [words.characters[k] for k in order if counts[k] and words.alphabet[k]]
    check_vocab_size(
        vocab_size, len(specials) + len(required) + 1,
        f"{len(required)} characters and {len(specials)} special tokens",
    )
    watch = watch or nothing
    found = train_pieces(words, vocab_size, required, variant, len(specials), watch=watch)
    tokens = [token.encode() for token in [*specials, *found]]
    # ten decimals, because Hugging Face reads longer numbers from a file with small errors
    scores = np.round([0.0] * len(specials) + list(found.values()), 10)
    unk_id = None if unk_token is None else specials.index(unk_token)
    model = Unigram(without_specials(tokens, specials), scores, unk_id=unk_id, variant=variant)
    return Stages(
        model, pre_tokenizer=Split(pattern, "refuse") if pattern else Metaspace(),
        decoder=Join() if pattern else JoinMarked(), special_tokens=numbered(specials),
    )


def words_of_marks(texts: Texts) -> Words:
    """The different words of texts; a word begins at every ▁."""
    if active_backend() == "numba":
        counter = PieceCounter("given")
        for data, segments in blocks(texts):
            front = np.ones(len(segments), bool)
            marked = with_marks(data, segments, front, places=False)
            counter.add(*spans_of_words(*marked[:2]))
        return Words.of_bytes(*counter.words())
    table: Counter[str] = Counter()
    for data, segments in blocks(texts):
        raw = data.tobytes()
        for i, j in segments.tolist():
            table.update(split_at_marks(with_mark(raw[i:j].decode())))
    return Words.of(list(table), list(table.values()))


def nothing(*seen: Any) -> None:
    """Watch nothing."""


def train_pieces(
    words: Words, vocab_size: int, required: Sequence[str], variant: str = "huggingface",
    reserved: int = 0, valid: Validity | None = None, watch: Watch = nothing,
) -> dict[str, float]:
    """Pieces and their scores, the best first.

    vocab_size: of the whole vocabulary, with `reserved` other tokens. required: characters that
    must be pieces. variant: "huggingface" or "sentencepiece". watch: see ``learn_pieces``.
    """
    valid = valid or Validity()
    if active_backend() == "numba":
        scores = learn_pieces_fast(words, vocab_size, variant, valid, SEEDS, watch)
    else:
        found, counts, followers = words.strings()
        scores = learn_pieces(found, counts, vocab_size, variant, followers, valid, watch)
    return final_pieces(scores, vocab_size - reserved, required, variant)


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
        getattr(valid, "longest", MAX_CHARACTERS), valid, not huggingface,
    )
    characters = {c: n for c, n in character_counts(words, counts).items() if valid(c)}
    room = max(0, SEEDS - len(characters)) if huggingface else SEEDS
    best = list(in_order(found, huggingface, not huggingface).items())[:room]
    return log_probabilities(in_order(characters, huggingface) | dict(best))


def in_order(
    weights: Mapping[str, int], last_first: bool, longest_first: bool = False
) -> dict[str, int]:
    """The greatest first; among equals the last or the first in the order of code points.

    longest_first: before that, those of more bytes.
    """
    ordered = sorted(weights, reverse=last_first)
    if longest_first:
        ordered.sort(key=lambda piece: -len(piece.encode()))
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
    best = sorted(final, key=lambda piece: (-round(final[piece], 8), piece))  # not by noise
    return {piece: final[piece] for piece in best}
