"""SentencePiece side by side: training and encoding of 10 MB of lines, normalization included.

``python -m benchmarks.sentencepiece_speed`` prints the rows. Pieces and ids are asserted equal
first; then the two take turns, and the median of the rounds counts.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from minillm.tokenizers import Tokenizer

from .row import Row, print_rows
from .texts import lines_of, prose, python_source, take
from .timing import median_times, seconds, seconds_from_nothing, threads

MEGABYTES = 10
VOCABULARY = 8_000
OPTIONS = {"model_type": "bpe", "byte_fallback": True}


def train_theirs(path: Path, prefix: str, options: dict[str, object] = OPTIONS) -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        input=str(path), model_prefix=prefix, vocab_size=VOCABULARY, num_threads=2,
        minloglevel=2, **options,
    )


def bpe_rows() -> Iterator[Row]:
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
            tok = Tokenizer.train([path], "sentencepiece", VOCABULARY, **OPTIONS)
            train_theirs(path, prefix)
            other = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
            pieces = [other.id_to_piece(id).encode() for id in range(other.vocab_size())]
            if pieces != tok.model.vocabulary:
                raise AssertionError("the pieces differ")
            ours_s, theirs_s = median_times(
                3,
                partial(seconds, Tokenizer.train, [path], "sentencepiece", VOCABULARY, **OPTIONS),
                partial(seconds, train_theirs, path, prefix),
            )
        yield Row(
            f"train SentencePiece BPE, {megabytes:.0f} MB {name}, {VOCABULARY} pieces",
            "sentencepiece", ours_s, theirs_s, "s", theirs_s / ours_s,
            "from a file, byte fallback, nmt_nfkc; one thread against two; equal pieces",
        )
        expected = np.concatenate([np.array(row, np.int32) for row in other.encode(lines)])
        if not np.array_equal(tok.encode_batch(lines, special="text")[0], expected):
            raise AssertionError("ids differ")
        with threads(1):
            one, two, ours, warm = median_times(
                5,
                partial(seconds, other.encode, lines, num_threads=1),
                partial(seconds, other.encode, lines, num_threads=2),
                partial(seconds_from_nothing, tok, tok.encode_batch, lines, special="text"),
                partial(seconds, tok.encode_batch, lines, special="text"),
            )
        yield Row(
            f"encode {megabytes:.0f} MB {name}, SentencePiece BPE", "sentencepiece",
            megabytes / ours, megabytes / one, "MB/s", one / ours,
            f"list of lines, normalization included, one thread each; against two threads "
            f"{two / ours:.1f}x; the second time {one / warm:.1f}x",
        )


def rows() -> Iterator[Row]:
    """All measurements, with the reason where the peer is not installed."""
    try:
        yield from bpe_rows()
    except ImportError as error:
        nothing = float("nan")
        yield Row("SentencePiece", "sentencepiece", nothing, nothing, "", nothing,
                  f"left out: {error}")


if __name__ == "__main__":
    print_rows(rows())
