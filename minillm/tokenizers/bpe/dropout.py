"""BPE dropout: leaving merges out at random, so that a model sees a word cut in several ways.

Three rules go by that name. ``paper`` (Provilkov, Emelianenko and Voita 2020) passes over each
candidate with probability p in every round. The libraries keep candidates in a heap and draw once
for each that comes to its top: ``sentencepiece`` throws the unlucky one away for good,
``huggingface`` puts it back after the next one that is lucky.
"""

import heapq
import random
from collections.abc import Mapping, Sequence

from .merges import Pair, apply_merges

RULES = ("paper", "huggingface", "sentencepiece")


def merge_groups(
    ids: Sequence[int], ranks: Mapping[Pair, tuple[int, int]], dropout: float = 0.0,
    rng: random.Random | None = None, rule: str = "paper",
) -> tuple[list[int], list[int]]:
    """The merged ids, and how many of the first ids each of them joins."""
    if rule not in RULES:
        raise ValueError(f"dropout_rule={rule!r} is not a rule; use one of {', '.join(RULES)}")
    if dropout and rule == "paper":
        merged = apply_merges(ids, ranks, dropout, rng)
        return merged, sizes_of(merged, ids, ranks)
    return merge_by_heap(ids, ranks, dropout, rng, keep=rule == "huggingface")


def merge_by_heap(
    ids: Sequence[int], ranks: Mapping[Pair, tuple[int, int]], dropout: float = 0.0,
    rng: random.Random | None = None, keep: bool = True,
) -> tuple[list[int], list[int]]:
    """``apply_merges`` from a heap of candidates (rank, place), with the libraries' dropout."""
    draw = (rng or random).random
    symbols, sizes = list(ids), [1] * len(ids)
    before = list(range(-1, len(ids) - 1))
    after = [*range(1, len(ids)), -1] if ids else []
    heap: list[tuple[int, int, int]] = []

    def offer(left: int) -> None:
        pair = ranks.get((symbols[left], symbols[after[left]])) if after[left] >= 0 else None
        if pair is not None:
            heapq.heappush(heap, (pair[0], left, pair[1]))

    for place in range(len(ids)):
        offer(place)
    put_aside = []
    while heap:
        top = heapq.heappop(heap)
        if dropout and draw() < dropout:
            if keep:
                put_aside.append(top)
            continue
        for entry in put_aside:
            heapq.heappush(heap, entry)
        put_aside.clear()
        _, left, merged = top
        right = after[left]
        found = ranks.get((symbols[left], symbols[right])) if right >= 0 and sizes[left] else None
        if found is None or found[1] != merged:
            continue  # one of the two has changed since
        symbols[left], sizes[left] = merged, sizes[left] + sizes[right]
        sizes[right], after[left] = 0, after[right]
        if after[right] >= 0:
            before[after[right]] = left
        offer(left)
        if before[left] >= 0:
            offer(before[left])
    kept = [place for place in range(len(ids)) if sizes[place]]
    return [symbols[place] for place in kept], [sizes[place] for place in kept]


def sizes_of(
    merged: Sequence[int], ids: Sequence[int], ranks: Mapping[Pair, tuple[int, int]]
) -> list[int]:
    """How many of `ids` each merged id joins."""
    parts = {made: pair for pair, (_, made) in ranks.items()}

    def count(id: int, at: int) -> int:
        if ids[at] == id or id not in parts:
            return 1
        first = count(parts[id][0], at)
        return first + count(parts[id][1], at + first)

    sizes: list[int] = []
    for id in merged:
        sizes.append(count(id, sum(sizes)))
    return sizes
