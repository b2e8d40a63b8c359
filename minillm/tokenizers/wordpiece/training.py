"""Training WordPiece in two ways: by how often pairs occur, or by how likely they make text.

``frequency`` is what Hugging Face's trainer does: byte-pair encoding with ``##`` before characters
inside a word, of which only the vocabulary is kept. ``likelihood`` is what is taught and what
Schuster and Nakajima 2012 describe: join the pair that raises the likelihood of the text most,
f(ab) / (f(a) f(b)).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...backends import active_backend
from ..bpe.merges import Pair, count_pairs, join_pair
from ..bpe.training import merges_of
from ..counting.distinct_pieces import blocks
from ..counting.vocabulary_room import (
    check_vocab_size,
    numbered,
    with_unknown,
    without_specials,
)
from ..decoders.joining import JoinWordPieces
from ..normalizers.bert import BertNormalizer
from ..pre_tokenizers.bert import BertSplit, piece_pattern
from ..stages import Stages
from .longest_match import WordPiece

SCORES = ("frequency", "likelihood")


def symbols_of(word: str, prefix: str = "##") -> list[str]:
    """The characters of a word, those after the first with the prefix.

    >>> symbols_of("hug")
    ['h', '##u', '##g']
    """
    return [word[0], *(prefix + character for character in word[1:])]


def joined(left: str, right: str, prefix: str = "##") -> str:
    """Two tokens as one: ``joined("hu", "##gs")`` is ``"hugs"``."""
    return left + right.removeprefix(prefix)


def likeliest_pair(words: Sequence[Sequence[int]], counts: Sequence[int]) -> tuple[Pair, float]:
    """The pair with the greatest f(ab) / (f(a) f(b)), of equals the smallest ids; and that number.

    >>> likeliest_pair([[1, 2], [1, 3]], [3, 1])
    ((1, 2), 0.25)
    """
    single: Counter[int] = Counter()
    for word, count in zip(words, counts):
        for id in word:
            single[id] += count
    score = {
        pair: count / float(single[pair[0]] * single[pair[1]])
        for pair, count in count_pairs(words, counts).items()
    }
    if not score:
        raise ValueError("words has no pair left; expected a word of two symbols")
    best = min(score, key=lambda pair: (-score[pair], pair))
    return best, score[best]


def learn_by_likelihood(
    words: Sequence[Sequence[int]], counts: Sequence[int], first: int, merges: int
) -> list[Pair]:
    """Join the likeliest pair, count again, and go on; the k-th pair becomes id ``first + k``."""
    words = [list(word) for word in words]
    learned: list[Pair] = []
    while len(learned) < merges and any(len(word) > 1 for word in words):
        best, _ = likeliest_pair(words, counts)
        words = [join_pair(word, best, first + len(learned)) for word in words]
        learned.append(best)
    return learned


def train_wordpiece(
    texts: Iterable[str | Path], vocab_size: int, special_tokens: Sequence[str] = (),
    unk_token: str = "[UNK]", score: str = "frequency", prefix: str = "##",
    min_frequency: int = 1, longest: int = 100, lowercase: bool = True,
) -> Stages:
    """WordPiece behind BERT's normalizer and pre-tokenizer.

    Ids: special tokens, the characters that begin words and those inside words with the prefix,
    then what is joined. ``frequency`` sorts both groups of characters by code point and counts
    every character in the first (Hugging Face's trainer puts the second group in the order of a
    hash, so that its ids change from run to run); ``likelihood`` takes them as they are met.
    min_frequency: of a pair; only for ``frequency``.
    """
    if score not in SCORES:
        raise ValueError(f"score={score!r} is not a score; use one of {', '.join(SCORES)}")
    normalizer = BertNormalizer(lowercase=lowercase)
    table = bert_word_counts(texts, normalizer)
    words, counts = list(table), np.fromiter(table.values(), np.int64, len(table))
    specials = with_unknown(special_tokens, unk_token)
    spelled = [symbols_of(word, prefix) for word in words]
    first = list(dict.fromkeys(word[0] for word in words))
    inner = list(dict.fromkeys(symbol for word in spelled for symbol in word[1:]))
    if score == "frequency":
        first, inner = sorted({character for word in words for character in word}), sorted(inner)
    alphabet = dict.fromkeys([*first, *inner])
    tokens = [*specials, *(symbol for symbol in alphabet if symbol not in specials)]
    check_vocab_size(
        vocab_size, len(tokens),
        f"{len(tokens) - len(specials)} characters, alone and inside words, and {len(specials)} "
        "special tokens",
    )
    id_of = {symbol: id for id, symbol in enumerate(tokens) if id >= len(specials)}
    ids = [[id_of[symbol] for symbol in word] for word in spelled]
    wanted = vocab_size - len(tokens)
    if score == "frequency":
        raw = [token.encode() for token in tokens]
        pairs = merges_of(ids, counts, raw, wanted, "huggingface", min_frequency)
    else:
        pairs = pairs_by_likelihood(ids, counts, len(tokens), wanted)
    for left, right in np.asarray(pairs).reshape(-1, 2).tolist():
        tokens.append(joined(tokens[left], tokens[right], prefix))
    vocabulary = [token.encode() for token in dict.fromkeys(tokens)]
    model = WordPiece(
        without_specials(vocabulary, specials), specials.index(unk_token), prefix, longest
    )
    return Stages(
        model, normalizer, BertSplit(), decoder=JoinWordPieces(prefix),
        special_tokens=numbered(specials),
    )


def bert_word_counts(
    texts: Iterable[str | Path], normalizer: BertNormalizer
) -> dict[str, int]:
    """How often each word occurs after BERT's normalizer and pre-tokenizer, in order of sight."""
    rough: Counter[str] = Counter()  # between plain white space: far less to normalize
    for data, segments in blocks(texts):
        raw = data.tobytes()
        for start, end in segments.tolist():
            rough.update(re.findall(r"[^ \t\n\r]+", raw[start:end].decode()))
    counts: Counter[str] = Counter()
    pattern = piece_pattern()
    for part, count in rough.items():
        for word in pattern.findall(normalizer(part)):
            counts[word] += count
    return counts


def pairs_by_likelihood(
    words: list[list[int]], counts: np.ndarray, first: int, merges: int
) -> np.ndarray:
    """``learn_by_likelihood``, from a kernel where there is one."""
    if active_backend() != "numba":
        return np.array(learn_by_likelihood(words, counts.tolist(), first, merges), np.int32)
    from .likelihood_kernel import Words, learn_likeliest

    offsets = np.concatenate([[0], np.cumsum([len(word) for word in words])]).astype(np.int64)
    symbols = np.fromiter((id for word in words for id in word), np.int32, int(offsets[-1]))
    found = np.empty((merges, 2), np.int32)
    flat = Words(symbols, offsets, np.diff(offsets), counts.astype(np.int64))
    count = learn_likeliest(flat, first, found, np.zeros(first + merges, np.int64))
    return found[:count]
