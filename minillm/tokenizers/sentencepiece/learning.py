"""Training SentencePiece's BPE: pieces from word counts, the most frequent pair first.

``learn_pieces`` is the definition, ``learn_pieces_fast`` the same from a kernel. It differs from
plain BPE in three ways: only strings that may be pieces are joined; ties go to the shorter string,
then to the smaller one; and a pair that was seen once stays a candidate when all its occurrences
have gone into longer pieces. That includes a pair seen for a moment only: where *abab* becomes *ab
ab*, from left to right, there was *ab a* on the way.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..bpe.merges import count_pairs, join_pair
from ..unigram.seed_pieces import Validity

RARE = "\u2585"  # stands for every character that is not to be a piece


def learn_pieces(
    words: Sequence[str], counts: Sequence[int], wanted: int, valid: Callable[[str], bool]
) -> list[str]:
    """Up to `wanted` pieces of two characters or more, in the order in which they are found."""
    symbols: list[list] = [list(word) for word in words]
    learned: dict[str, None] = {}
    candidates: dict[Any, int] = {}
    gone: set[Any] = set()
    while len(learned) < wanted:
        pairs: dict[Any, int] = dict(count_pairs(symbols, counts))
        candidates = dict.fromkeys(candidates, 0)
        candidates |= {p: pairs[p] for p in pairs if p not in gone and valid("".join(p))}
        if not candidates:
            break
        best = min(candidates, key=lambda p: (-candidates[p], len("".join(p)), "".join(p)))
        gone.add(best)
        del candidates[best]
        if "".join(best) not in learned:
            new = "".join(best)
            learned[new] = None
            symbols = [join_pair(word, best, new) for word in symbols]  # type: ignore
            passing = new, best[0]
            if valid(new + best[0]) and any((new, new) in pairwise(word) for word in symbols):
                candidates[passing] = 0
    return list(learned)


def learn_pieces_fast(
    points: np.ndarray, offsets: np.ndarray, counts: np.ndarray, wanted: int, valid: Validity
) -> list[str]:
    """The same of words given as code points; word w is ``points[offsets[w] : offsets[w + 1]]``."""
    from ..bpe.learning_kernel import SMALLEST_IDS, Tokens, Words
    from .learning_kernel import Rules, learn

    known = np.zeros(0x110000, bool)
    known[points] = True
    alphabet = np.flatnonzero(known)
    symbols = (np.cumsum(known, dtype=np.int32) - 1)[points]
    size = len(alphabet)
    tokens = size + wanted
    starts = np.zeros(tokens + 3, np.int64)
    starts[: size + 1] = np.arange(size + 1)
    data = np.zeros(size + (wanted + 1) * valid.longest, np.int32)
    data[:size] = np.arange(size)
    pairs = np.empty((wanted, 2), np.int32)
    slots = np.full(1 << max(8, (2 * wanted).bit_length()), -1, np.int32)
    words = Words(
        symbols, offsets.astype(np.int64), np.diff(offsets).astype(np.int64),
        counts.astype(np.int64),
    )
    widths = np.ones(tokens + 1, np.int64)
    table = Tokens(data, starts, widths, valid.longest + 1, SMALLEST_IDS)
    rules = Rules(
        valid.classes_of(alphabet), valid.place, valid.only_spaces, max(size.bit_length(), 6), slots
    )
    found = learn(words, table, size, pairs, rules)
    pieces = [chr(point) for point in alphabet.tolist()]
    for left, right in pairs[:found].tolist():
        pieces.append(pieces[left] + pieces[right])
    return pieces[size:]
