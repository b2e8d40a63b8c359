"""Tokenizers side by side: encoding against tiktoken, training against Hugging Face tokenizers.

``python -m benchmarks.tokenizers`` prints the rows. Ids and merges are asserted equal first; then
the two take turns, and the median of the rounds counts.
"""

import json
import re
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from minillm.tokenizers import Tokenizer

from .row import Row

MEGABYTES = 12
TRAINING_MEGABYTES = 25
ROUNDS = 5
VOCABULARY = 32_000
SPLITS = {  # tiktoken 0.14's own patterns
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
}


SOURCES = {
    "English": "docstrings, comments and documentation of the standard library and packages",
    "Python source": "the standard library and installed packages",
}


def files(*suffixes: str, packages: bool = False) -> Iterator[str]:
    """Texts of the files of the standard library, then of installed packages."""
    stdlib = Path(sysconfig.get_paths()["stdlib"])
    roots = [stdlib] + ([Path(sysconfig.get_paths()["purelib"])] if packages else [])
    for root in roots:
        for path in sorted(root.rglob("*")):
            if root == stdlib and "site-packages" in path.parts:
                continue
            if path.suffix in suffixes and path.is_file():
                try:
                    yield path.read_text("utf-8")
                except (UnicodeDecodeError, OSError):
                    continue


def take(parts: Iterator[str], megabytes: float) -> str:
    """Different parts joined until there are enough bytes."""
    chosen: dict[str, None] = {}
    size = 0.0
    for part in parts:
        if part not in chosen:
            chosen[part] = None
            size += len(part.encode()) / 1e6
            if size >= megabytes:
                break
    return "\n\n".join(chosen)


def prose() -> Iterator[str]:
    """Documentation: docstrings and comments of Python files, .rst and .md files."""
    for text in files(".py", packages=True):
        yield from (
            part for part in text.split('"""')[1::2]
            if len(part) > 80 and not re.search(r"^ *(def|class|return|if|import) ", part, re.M)
        )
        for block in re.findall(r"(?:^[ \t]*#.*\n){2,}", text, re.MULTILINE):
            yield re.sub(r"^[ \t]*#[ \t]?", "", block, flags=re.MULTILINE)
    yield from files(".rst", ".md", packages=True)


def python_source(megabytes: float) -> str:
    return take(files(".py", packages=True), megabytes)


def median_times(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """Median of the seconds each function reports; in every round each has one turn."""
    times: list[list[float]] = [[run() for run in runs] for _ in range(rounds)]
    return [statistics.median(seconds) for seconds in zip(*times)]


def seconds(run: Callable[..., object], *args: object, **options: object) -> float:
    start = time.perf_counter()
    run(*args, **options)
    return time.perf_counter() - start


def seconds_from_nothing(tok: Tokenizer, text: str) -> float:
    """Encoding with a tokenizer that has seen no text yet."""
    tok.model.forget()
    return seconds(tok.encode_array, text)


def encoding_rows(texts: dict[str, str]) -> Iterator[Row]:
    """One thread each: tiktoken's faster way (a list or an array) against ``encode_array``."""
    import tiktoken

    for rule, pattern in SPLITS.items():
        tok = Tokenizer.train(texts.values(), "byte_bpe", vocab_size=VOCABULARY, pattern=rule)
        vocabulary = {token: id for id, token in enumerate(tok.model.vocabulary)}
        other = tiktoken.Encoding(
            rule, pat_str=pattern, mergeable_ranks=vocabulary, special_tokens={}
        )
        for name, text in texts.items():
            megabytes = len(text.encode()) / 1e6
            if not np.array_equal(tok.encode_array(text), other.encode_ordinary(text)):
                raise AssertionError(f"ids differ: {rule}, {name}")
            as_list, as_array, ours, warm = median_times(
                ROUNDS,
                partial(seconds, other.encode_ordinary, text),
                partial(seconds, other.encode_to_numpy, text, disallowed_special=()),
                partial(seconds_from_nothing, tok, text),
                partial(seconds, tok.encode_array, text),
            )
            theirs = min(as_list, as_array)
            yield Row(
                f"encode {megabytes:.0f} MB {name}, {rule} split", "tiktoken",
                megabytes / ours, megabytes / theirs, "MB/s", theirs / ours,
                f"one thread each, {SOURCES[name]}; {VOCABULARY} entries trained on both texts; "
                f"the text seen for the first time (the second time: {theirs / warm:.1f}x)",
            )


def training_rows() -> Iterator[Row]:
    """Byte-level BPE from one file, as many threads as each library uses."""
    from tokenizers import Tokenizer as Theirs
    from tokenizers import models, pre_tokenizers, trainers

    text = python_source(TRAINING_MEGABYTES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        path.write_text(text, encoding="utf-8", newline="\n")

        def theirs() -> dict:
            tokenizer = Theirs(models.BPE())
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            trainer = trainers.BpeTrainer(
                vocab_size=VOCABULARY, show_progress=False, special_tokens=["<|endoftext|>"],
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            )
            tokenizer.train([str(path)], trainer)
            return json.loads(tokenizer.to_str())["model"]

        def ours() -> Tokenizer:
            return Tokenizer.train(
                [path], "byte_bpe", vocab_size=VOCABULARY, special_tokens=["<|endoftext|>"]
            )

        ours().save(Path(folder, "tok.json"))
        mine = json.loads(Path(folder, "tok.json").read_text("utf-8"))["model"]
        reference = theirs()
        if (mine["vocab"], mine["merges"]) != (reference["vocab"], reference["merges"]):
            raise AssertionError("the vocabularies differ")
        ours_s, theirs_s = median_times(3, partial(seconds, ours), partial(seconds, theirs))
    yield Row(
        f"train byte-level BPE, {TRAINING_MEGABYTES} MB, {VOCABULARY} entries",
        "Hugging Face tokenizers", ours_s, theirs_s, "s", theirs_s / ours_s,
        "Python source of the standard library and installed packages; equal merges and ids",
    )


def rows() -> Iterator[Row]:
    """All measurements of tokenizers, with the reason where a peer is not installed."""
    for peer, measure in (
        ("tiktoken", lambda: encoding_rows({
            "English": take(prose(), MEGABYTES), "Python source": python_source(MEGABYTES),
        })),
        ("Hugging Face tokenizers", training_rows),
    ):
        try:
            yield from measure()
        except ImportError as error:
            nothing = float("nan")
            yield Row("tokenizers", peer, nothing, nothing, "", nothing, f"left out: {error}")


if __name__ == "__main__":
    for row in rows():
        print(
            f"{row.what}: {row.ours:.2f} {row.unit}, {row.against} {row.theirs:.2f} {row.unit}, "
            f"{row.ratio:.1f}x ({row.note})"
        )
