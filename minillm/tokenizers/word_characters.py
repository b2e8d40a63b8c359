"""Word characters: what ``\\w`` is to the regular expressions of Hugging Face's library."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any


@cache
def word_class() -> str:
    """The inside of a regular expression's ``[...]`` that matches word characters."""
    text = Path(__file__).with_name("bert_classes.txt").read_text(encoding="utf-8")
    runs = [line.split() for line in text.splitlines() if line[0] not in "#lf"]
    starts = [int(start, 16) for start, _ in runs] + [0x110000]
    return "".join(
        f"\\U{first:08X}-\\U{end - 1:08X}"
        for (first, end), (_, kind) in zip(pairwise(starts), runs) if kind.endswith("w")
    )


@cache
def word_pattern() -> Any:
    """Matches one word character."""
    return re.compile(f"[{word_class()}]")
