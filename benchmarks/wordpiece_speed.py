"""WordPiece side by side: text to ids, BERT's normalizer included, against Hugging Face tokenizers.

``python -m benchmarks.wordpiece_speed`` prints the rows. The library uses all cores; ours one.
"""

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from minillm.tokenizers import Tokenizer

from .row import Row, print_rows
from .texts import prose, python_source, take
from .timing import median_times, seconds, seconds_from_nothing, threads

MEGABYTES = 10
VOCABULARY = 30_000


def encoding_rows() -> Iterator[Row]:
    from tokenizers import Tokenizer as Theirs

    for name, text in (
        ("English", take(prose(), MEGABYTES)), ("Python source", python_source(MEGABYTES)),
    ):
        lines = text.splitlines(keepends=True)
        megabytes = len(text.encode()) / 1e6
        tok = Tokenizer.train(lines, "wordpiece", VOCABULARY, ["[PAD]", "[UNK]"])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "tok.json")
            tok.save(path)
            value = json.loads(path.read_text("utf-8"))
            other = Theirs.from_str(json.dumps(value))
        expected = np.concatenate(
            [np.array(row.ids, np.int32) for row in other.encode_batch_fast(lines)]
        )
        if not np.array_equal(tok.encode_batch(lines, special="text")[0], expected):
            raise AssertionError(f"ids differ: {name}")
        with threads(1):
            theirs, ours, warm = median_times(
                5, partial(seconds, other.encode_batch_fast, lines),
                partial(seconds_from_nothing, tok, tok.encode_batch, lines, special="text"),
                partial(seconds, tok.encode_batch, lines, special="text"),
            )
        yield Row(
            f"encode {megabytes:.0f} MB {name}, WordPiece", "Hugging Face tokenizers",
            megabytes / ours, megabytes / theirs, "MB/s", theirs / ours,
            f"list of lines, BERT's normalizer included, {VOCABULARY} entries; one thread against "
            f"all cores; the text seen for the first time (the second time: {theirs / warm:.1f}x)",
        )


def rows() -> Iterator[Row]:
    """All measurements, with the reason where the peer is not installed."""
    try:
        yield from encoding_rows()
    except ImportError as error:
        nothing = float("nan")
        yield Row("WordPiece", "Hugging Face tokenizers", nothing, nothing, "", nothing,
                  f"left out: {error}")


if __name__ == "__main__":
    print_rows(rows())
