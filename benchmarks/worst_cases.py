"""How encoding behaves on text that looks for trouble, and how time grows with the text.

``python -m benchmarks.worst_cases`` prints the rows. The speed on a megabyte of one letter, of
spaces, of random bytes and of one long word stands beside the same tokenizer's speed on prose.
"""

import random
import re
import string
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from minillm.tokenizers import Tokenizer

from .row import Row, print_rows
from .texts import prose, take
from .timing import median_times, seconds

MEGABYTE = 1 << 20
GROWTH = (1, 10, 100)  # megabytes
KINDS: dict[str, dict[str, Any]] = {
    "byte-level BPE": dict(model="byte_bpe"),
    "WordPiece": dict(model="wordpiece", special_tokens=["[UNK]"]),
    "unigram": dict(model="unigram"),
    "SentencePiece unigram": dict(model="sentencepiece", byte_fallback=True),
    "SentencePiece BPE": dict(model="sentencepiece", model_type="bpe", byte_fallback=True),
    "BytePiece": dict(model="bytepiece"),
}


def worst_cases() -> dict[str, str]:
    rng = random.Random(0)
    noise = bytes(rng.randrange(256) for _ in range(MEGABYTE)).decode("utf-8", "replace")
    return {
        "one letter": "a" * MEGABYTE,
        "spaces": " " * MEGABYTE,
        "random bytes": noise,
        "one word": "".join(rng.choices(string.ascii_lowercase, k=MEGABYTE)),
    }


def rows() -> Iterator[Row]:
    """The slowest case of every family, then how the time of each grows."""
    text = take(prose(), 4)
    lines = text.splitlines(keepends=True)
    cases = worst_cases()
    for name, options in KINDS.items():
        tok = Tokenizer.train(lines, vocab_size=8000, **options)
        encode = partial(tok.encode_array, special="text")
        encode(text)
        encode(cases["random bytes"])
        size = len(text.encode()) / 1e6
        (home,) = median_times(3, partial(seconds, encode, text))
        speeds = {}
        for case, trouble in cases.items():
            (needed,) = median_times(3, partial(seconds, encode, trouble))
            speeds[case] = len(trouble.encode()) / 1e6 / needed
        slowest = min(speeds, key=lambda case: speeds[case])
        yield Row(
            f"{name} on its worst case, {slowest}", "its own speed on prose", speeds[slowest],
            size / home, "MB/s", speeds[slowest] * home / size,
            ", ".join(f"{case} {speed * home / size:.2f}x" for case, speed in speeds.items()),
        )
        times = [seconds(tok.encode_batch, repeated(lines, size), "text") for size in GROWTH]
        rates = [size / needed for size, needed in zip(GROWTH, times)]
        yield Row(
            f"{name}, {GROWTH[-1]} MB of lines", f"its speed on {GROWTH[0]} MB", rates[-1],
            rates[0], "MB/s", rates[-1] / rates[0],
            "time grows in proportion to the text where this is 1 or more: "
            + ", ".join(f"{size} MB {needed:.2f} s" for size, needed in zip(GROWTH, times)),
        )


def draw_growth(results: str, picture: Path) -> None:
    """Time against megabytes of text, from the rows of results.md, as a picture."""
    from minillm import show

    curves = {}
    for text in results.splitlines():
        if "MB of lines |" in text:
            found = re.findall(r"(\d+) MB ([\d.]+) s", text)
            curves[text[2:].split(",")[0]] = ([int(mb) for mb, _ in found],
                                             [max(float(s), 0.01) for _, s in found])
    plot = show.curves(curves, "megabytes of text", "seconds", log="xy")
    plot.figure.savefig(picture, dpi=160, facecolor="white", metadata={"Software": None})


def repeated(lines: list[str], megabytes: int) -> list[str]:
    """Lines, again and again, of so many megabytes."""
    size = sum(len(line.encode()) for line in lines) / 1e6
    whole, rest = divmod(megabytes, size)
    return lines * int(whole) + lines[: int(len(lines) * rest / size)]


if __name__ == "__main__":
    print_rows(rows())
