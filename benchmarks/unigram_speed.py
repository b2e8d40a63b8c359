"""Unigram models side by side with sentencepiece: training and encoding of 10 MB of lines.

``python -m benchmarks.unigram_speed`` prints the rows. Ids are asserted equal first, with a model
that sentencepiece trained; of the pieces that the two trainers find, which differ where float32
and float64 sums fall on different sides of a threshold, at least 99 % must be the same.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from minillm.tokenizers import Tokenizer

from .row import Row, print_rows
from .sentencepiece_speed import train_theirs
from .texts import lines_of, prose, python_source, take
from .timing import median_times, seconds, seconds_from_nothing, threads

MEGABYTES = 10
VOCABULARY = 8_000
OPTIONS = {"model_type": "unigram", "byte_fallback": True}


def rows() -> Iterator[Row]:
    """Training from a file, and encoding a list of lines."""
    import sentencepiece

    for name, text in (
        ("English", take(prose(), MEGABYTES)), ("Python source", python_source(MEGABYTES)),
    ):
        lines = lines_of(text)
        megabytes = sum(len(line.encode()) + 1 for line in lines) / 1e6
        with tempfile.TemporaryDirectory() as folder:
            path, prefix = Path(folder, "text.txt"), str(Path(folder, "m"))
            path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
            trained = Tokenizer.train([path], "sentencepiece", VOCABULARY, **OPTIONS)
            theirs_s = seconds(train_theirs, path, prefix, OPTIONS)
            ours_s, = median_times(
                3, partial(seconds, Tokenizer.train, [path], "sentencepiece", VOCABULARY, **OPTIONS)
            )
            other = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
            tok = Tokenizer.load(f"{prefix}.model")
        same = len(set(tok.model.vocabulary) & set(trained.model.vocabulary))
        if same < 0.99 * VOCABULARY:
            raise AssertionError(f"only {same} pieces are the same")
        yield Row(
            f"train Unigram, {megabytes:.0f} MB {name}, {VOCABULARY} pieces", "sentencepiece",
            ours_s, theirs_s, "s", theirs_s / ours_s,
            f"from a file, byte fallback, nmt_nfkc; two threads each, ours the median of three, "
            f"theirs run once; {same} pieces the same",
        )
        expected = np.concatenate([np.array(row, np.int32) for row in other.encode(lines)])
        if not np.array_equal(tok.encode_batch(lines, special="text")[0], expected):
            raise AssertionError("ids differ")
        with threads(1):
            one, ours, warm = median_times(
                5,
                partial(seconds, other.encode, lines, num_threads=1),
                partial(seconds_from_nothing, tok, tok.encode_batch, lines, special="text"),
                partial(seconds, tok.encode_batch, lines, special="text"),
            )
        yield Row(
            f"encode {megabytes:.0f} MB {name}, Unigram", "sentencepiece",
            megabytes / ours, megabytes / one, "MB/s", one / ours,
            f"list of lines, normalization included, one thread each; the second time "
            f"{one / warm:.1f}x",
        )


if __name__ == "__main__":
    print_rows(rows())
