"""BytePiece side by side with bytepiece: training and encoding, results asserted equal.

``python -m benchmarks.bytepiece_speed`` prints the rows. bytepiece needs a pyahocorasick that was
built with AHOCORASICK_BYTES=1.
"""

import contextlib
import io
from collections.abc import Iterator
from functools import partial

import numpy as np

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.bytepiece.training import bytepiece_vocabularies
from minillm.tokenizers.text import two_threads

from .row import Row, print_rows
from .texts import prose, python_source, take
from .timing import median_times, seconds

MEGABYTES, TRAINING_MEGABYTES = 4, 1.5
VOCABULARY = 8000


def reference():
    """bytepiece, or an ImportError that says what is missing."""
    import ahocorasick
    import bytepiece

    if ahocorasick.unicode:
        raise ImportError("pyahocorasick was not built with AHOCORASICK_BYTES=1")
    return bytepiece


def trained(bytepiece, text: str, workers: int):
    trainer = bytepiece.Trainer(max_vocab_size=VOCABULARY)
    with contextlib.redirect_stderr(io.StringIO()):
        trainer.train([text], workers=workers)
    return trainer


def training_row(bytepiece) -> tuple[Row, object]:
    """Training; bytepiece with as many workers as it is faster with here."""
    text = take(prose(), TRAINING_MEGABYTES)
    megabytes = len(text.encode()) / 1e6
    trainer = trained(bytepiece, text, 1)
    if bytepiece_vocabularies([text], [VOCABULARY - 3]) != trainer.pieces:
        raise AssertionError("the vocabularies differ")
    ours, one, two = median_times(
        3,
        partial(seconds, bytepiece_vocabularies, [text], [VOCABULARY - 3]),
        partial(seconds, trained, bytepiece, text, 1),
        partial(seconds, trained, bytepiece, text, 2),
    )
    theirs = min(one, two)
    row = Row(
        f"train BytePiece, {megabytes:.1f} MB, {VOCABULARY} ids", "bytepiece", ours, theirs, "s",
        theirs / ours, "English prose; up to two threads against the faster of one and two "
        "workers; equal pieces and counts",
    )
    return row, trainer


def in_one_thread(tok: Tokenizer, text: str) -> float:
    """Seconds of encoding without a second thread."""
    before, two_threads.ENOUGH = two_threads.ENOUGH, 1 << 60
    try:
        return seconds(tok.encode_array, text)
    finally:
        two_threads.ENOUGH = before


def encoding_rows(bytepiece, trainer) -> Iterator[Row]:
    """Encoding with the vocabulary just trained; bytepiece has one thread."""
    other = bytepiece.Tokenizer(trainer.dump(trainer.pieces[0]))
    tok = Tokenizer.train([take(prose(), TRAINING_MEGABYTES)], "bytepiece", VOCABULARY)
    texts = {"English": take(prose(), MEGABYTES), "Python source": python_source(MEGABYTES)}
    for name, text in texts.items():
        if not np.array_equal(tok.encode_array(text), other.encode(text)):
            raise AssertionError(f"ids differ: {name}")
        ours, single, theirs = median_times(
            3, partial(seconds, tok.encode_array, text), partial(in_one_thread, tok, text),
            partial(seconds, other.encode, text),
        )
        megabytes = len(text.encode()) / 1e6
        yield Row(
            f"encode {megabytes:.0f} MB {name}, BytePiece", "bytepiece", megabytes / ours,
            megabytes / theirs, "MB/s", theirs / ours,
            f"two threads against its one; with one thread {theirs / single:.1f}x; equal ids",
        )


def rows() -> Iterator[Row]:
    """All measurements; an ImportError says why there are none."""
    bytepiece = reference()
    row, trainer = training_row(bytepiece)
    yield row
    yield from encoding_rows(bytepiece, trainer)


if __name__ == "__main__":
    print_rows(rows())
