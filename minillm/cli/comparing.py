"""The command ``tokenizer compare``: every kind of tokenizer on the reader's own text."""

from __future__ import annotations

from typing import Any

import click

from .corpora import chosen_texts, text_options
from .terminal import watched


@click.command("compare")
@text_options
@click.option("--vocab-size", type=click.IntRange(300), default=2000, show_default=True,
              help="Entries of each vocabulary.")
@click.option("--kind", "kinds", multiple=True,
              help="A kind to compare, by its name in the table; may be repeated. Without it: all.")
@click.option("--model-steps", type=click.IntRange(0), default=0, show_default=True,
              help="Also train a small model for so many steps on each one's tokens, and print its "
              "bits per byte.")
def compare_tokenizers(vocab_size: int, kinds: tuple[str, ...], model_steps: int,
                       **source: Any) -> None:
    """Train every kind of tokenizer on four fifths of a text and measure it on the rest.

    \b
    Examples:
      minillm tokenizer compare novel.txt
      minillm tokenizer compare texts/ --per paragraph --vocab-size 8000
      minillm tokenizer compare --stories zh --kind WordPiece --kind BytePiece
      minillm tokenizer compare --python-docs --model-steps 300

    bytes/token: how much text a token carries. exact: share of documents that decode to what they
    were. unknown: share of tokens that are unknown. bits/byte compares kinds that are exact; the
    others forget part of the text, which makes the rest easier to predict.
    """
    from ..scoreboard import KINDS, bits_per_byte, check_texts, compare

    for kind in kinds:
        if kind not in KINDS:
            raise click.UsageError(f"{kind!r} is not a kind; use some of: {', '.join(KINDS)}")
    texts = list(chosen_texts(**source))
    if len(texts) < 5:  # one long file: its lines are the documents
        texts = [line for text in texts for line in text.splitlines(keepends=True)]
    train, test = texts[:: 5] + texts[1:: 5] + texts[2:: 5] + texts[3:: 5], texts[4:: 5]
    check_texts(train, test)
    click.echo(f"{len(train)} documents to learn from, {len(test)} to measure")
    titles = ["kind", "entries", "bytes/token", "unknown", "exact", "train s", "MB/s"]
    click.echo(row([*titles, "bits/byte"] if model_steps else titles))
    for name in kinds or KINDS:
        if watched():
            click.echo(f"{name} …\r", nl=False, err=True)
        ((score, tok),) = compare(train, test, vocab_size, [name])
        cells = [score.name, f"{score.entries}", f"{score.bytes_per_token:.2f}",
                 f"{score.unknown:.1%}", f"{score.exact:.0%}", f"{score.train_seconds:.2f}",
                 f"{score.megabytes_per_second:.1f}"]
        if model_steps:
            cells.append(f"{bits_per_byte(tok, train, test, model_steps):.3f}")
        click.echo(row(cells))


def row(cells: list[str]) -> str:
    """A line of the table: the name at the left, numbers at the right."""
    return f"{cells[0]:24}" + "".join(f"{cell:>12}" for cell in cells[1:])
