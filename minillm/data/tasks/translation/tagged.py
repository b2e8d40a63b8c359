"""Words tagged with the parts of the meaning they express.

Two words, one of each language, are aligned where they share a part: ``links`` joins them. A word
with no part (the, of; 在, 把) is demanded by its own language alone.
"""

from __future__ import annotations

Tagged = list[tuple[str, tuple[str, ...]]]


def tag(words: str, *parts: str) -> Tagged:
    """Every word of ``words`` expresses all of ``parts``."""
    return [(word, parts) for word in words.split()]


def tag_each(words: str, other: str, part: str) -> Tagged:
    """An entry of the lexicon: word for word if its twin ``other`` has as many, else as one."""
    if len(words.split()) == len(other.split()):
        return [(word, (f"{part}.{i}",)) for i, word in enumerate(words.split())]
    return [(word, () if word in ("in", "on", "the", "to", "a") else (part,))
            for word in words.split()]


def links(source: Tagged, target: Tagged) -> list[tuple[int, int]]:
    """The pairs (i, j) of words that share a part, in order."""
    return [(i, j) for i, (_, parts) in enumerate(source) for j, (_, others) in enumerate(target)
            if set(parts) & set(others)]
