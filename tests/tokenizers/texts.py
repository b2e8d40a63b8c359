"""Random text that looks for trouble: scripts, joiners, odd white space, contractions, runs."""

import random

from hypothesis import strategies as st

PIECES = [
    " ", "  ", "\n", "\r\n", "\r", "\t", "'", "'s", "'S", "'ſ", "'LL", "'ve", "'re", "a", "Z", "ab",
    "é", "ſ", "1", "23", "4567", "²", "½", "中", "文字", "ǅ", "ʰ", "ª", "\u0301", "\u0903", "!",
    "/", "...", "\u00a0", "\u3000",
    "\u200d", "👍", "👍🏽", "\x1c", "\x85", "\0", "\u200b", "ß",
    "K", "\U0001d7d8", "ABC",
    "xyz", "HelloWorld", "\ufffd", "\u2028", "-", "_", "\U00016ec0", "한글",
    " the", " and", "self.", "():\n", "        ", "=" * 20, "é" * 9, "q" * 40,
]
character = st.characters(exclude_categories=["Cs"])
text = st.lists(st.sampled_from(PIECES) | character, max_size=14).map("".join)


def random_texts(count: int, seed: int = 0) -> list[str]:
    """So many texts of these pieces and of any characters."""
    rng = random.Random(seed)
    anywhere = [range(0x80), range(0x80, 0xD800), range(0xE000, 0x110000)]
    return [
        "".join(rng.choice(PIECES) if rng.random() < 0.85 else chr(rng.choice(rng.choice(anywhere)))
                for _ in range(rng.randrange(14)))
        for _ in range(count)
    ]
