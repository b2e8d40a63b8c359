"""Byte-pair encoding: learning merges from word counts, and applying them to a word.

Gage 1994 (compression); Sennrich, Haddow and Birch 2016 (words of a translation model). The short
functions are the definition. ``learn_merges_fast`` gives the same merges from a kernel.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

Pair = tuple[int, int]
TIES = ("huggingface", "cs336", "minbpe")


def count_pairs(words: Sequence[Sequence[int]], counts: Sequence[int]) -> dict[Pair, int]:
    """How often each two ids stand side by side, in the order in which the pairs are met.

    >>> count_pairs([[1, 1, 1], [1, 2]], [2, 5])
    {(1, 1): 4, (1, 2): 5}
    """
    pairs: dict[Pair, int] = {}
    for word, count in zip(words, counts):
        for pair in pairwise(word):
            pairs[pair] = pairs.get(pair, 0) + count
    return pairs


def join_pair(word: Sequence[int], pair: Pair, new: int) -> list[int]:
    """The word with each occurrence of `pair` replaced by `new`, from left to right.

    >>> join_pair([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    joined: list[int] = []
    i = 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            joined.append(new)
            i += 2
        else:
            joined.append(word[i])
            i += 1
    return joined


def best_pair(pairs: dict[Pair, int], tokens: Sequence, tie: str = "huggingface") -> Pair:
    """The most frequent pair; among equals the one that the tie rule prefers.

    ``huggingface``: smallest (left id, right id). ``cs336``: greatest (left bytes, right bytes).
    ``minbpe``: the one met first.
    """
    if tie == "huggingface":
        return min(pairs, key=lambda pair: (-pairs[pair], pair))
    if tie == "cs336":
        return max(pairs, key=lambda pair: (pairs[pair], tokens[pair[0]], tokens[pair[1]]))
    if tie == "minbpe":
        return max(pairs, key=lambda pair: pairs[pair])
    raise ValueError(f"tie={tie!r} is not a tie rule; use one of {', '.join(TIES)}")


def learn_merges(
    words: Sequence[Sequence[int]],
    counts: Sequence[int],
    tokens: Sequence,
    merges: int,
    tie: str = "huggingface",
    min_frequency: int = 1,
    max_token_length: int | None = None,
) -> list[Pair]:
    """Join the most frequent pair, count again, and go on until `merges` pairs are learned.

    words: ids of each different word; counts: how often it occurs; tokens: what each id stands
    for. The k-th pair becomes id ``len(tokens) + k``. Ends early when no pair occurs
    `min_frequency` times. With `max_token_length` a joined token has fewer symbols than that; two
    first tokens may always be joined.
    """
    words, tokens = [list(word) for word in words], list(tokens)
    learned: list[Pair] = []
    widths = [1] * len(tokens)
    while len(learned) < merges:
        pairs = count_pairs(words, counts)
        if max_token_length is not None:
            pairs = {(a, b): count for (a, b), count in pairs.items()
                     if widths[a] + widths[b] < max_token_length or widths[a] == widths[b] == 1}
        best = best_pair(pairs, tokens, tie) if pairs else None
        if best is None or pairs[best] < max(1, min_frequency):
            break
        learned.append(best)
        words = [join_pair(word, best, len(tokens)) for word in words]
        tokens.append(tokens[best[0]] + tokens[best[1]])
        widths.append(widths[best[0]] + widths[best[1]])
    return learned


def learn_merges_fast(
    symbols: np.ndarray,
    offsets: np.ndarray,
    counts: np.ndarray,
    tokens: Sequence[bytes],
    merges: int,
    tie: str = "huggingface",
    min_frequency: int = 1,
    max_token_length: int | None = None,
) -> np.ndarray:
    """The same from a kernel, on flat arrays: word w is ``symbols[offsets[w] : offsets[w + 1]]``.

    Returns the pairs as an int32 array (found, 2).
    """
    from .learning_kernel import Tokens, Words, learn

    if tie not in TIES:
        raise ValueError(f"tie={tie!r} is not a tie rule; use one of {', '.join(TIES)}")
    if tie == "minbpe" and max_token_length is not None:
        raise ValueError(
            f"max_token_length={max_token_length} goes with tie='huggingface' or 'cs336'; minbpe "
            "has no such limit"
        )
    offsets = offsets.astype(np.int64)
    sizes = np.array([len(token) for token in tokens], np.int64)
    starts = np.zeros(len(tokens) + merges + 2, np.int64)
    room = 0
    if tie == "cs336":
        starts[1 : len(tokens) + 1] = np.cumsum(sizes)
        longest = int(np.diff(offsets).max(initial=0)) * int(sizes.max(initial=0))
        room = int(sizes.sum()) + merges * longest
    data = np.empty(room, np.uint8)
    if tie == "cs336":
        joined = b"".join(tokens)
        data[: len(joined)] = np.frombuffer(joined, np.uint8)
    found = np.empty((merges, 2), np.int32)
    words = Words(
        symbols.astype(np.int32), offsets, np.diff(offsets), counts.astype(np.int64)
    )
    known = Tokens(
        data, starts, np.ones(len(tokens) + merges + 1, np.int64),
        1 << 40 if max_token_length is None else max_token_length, TIES.index(tie),
    )
    count = learn(words, known, len(tokens), found, max(1, min_frequency))
    return found[:count]


def apply_merges(
    ids: Sequence[int], ranks: Mapping[Pair, tuple[int, int]], dropout: float = 0.0,
    rng: random.Random | None = None,
) -> list[int]:
    """Join the adjacent pair of lowest rank, the leftmost first, until no pair has a rank.

    ranks: pair -> (rank, id of the joined pair). With `dropout` p each candidate is passed over
    with probability p in each round (Provilkov, Emelianenko and Voita 2020), so that a model sees
    a word cut in several ways; p = 1 leaves the word as it is.
    """
    ids = list(ids)
    draw = (rng or random).random
    while len(ids) > 1:
        best, where = None, -1
        for k, pair in enumerate(pairwise(ids)):
            rank = ranks.get(pair)
            if rank is None or (best is not None and rank[0] >= best[0]):
                continue
            if dropout and draw() < dropout:
                continue
            best, where = rank, k
        if best is None:
            break
        ids[where : where + 2] = [best[1]]
    return ids
