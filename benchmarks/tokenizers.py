"""Tokenizers side by side: encoding against tiktoken, training against Hugging Face tokenizers.

``python -m benchmarks.tokenizers`` prints the rows. Ids and merges are asserted equal first; then
the two take turns, and the median of the rounds counts.
"""

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from minillm.tokenizers import Tokenizer

from .row import Row, print_rows
from .texts import SOURCES, prose, python_source, take
from .timing import median_times, seconds, seconds_from_nothing

MEGABYTES = 12
TRAINING_MEGABYTES = 25
ROUNDS = 5
VOCABULARY = 32_000
SPLITS = {  # tiktoken 0.14's own patterns
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
}


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
                partial(seconds_from_nothing, tok, tok.encode_array, text),
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
    print_rows(rows())
