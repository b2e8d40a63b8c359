"""The commands about tokens: ``tokenizer train``, ``encode``, ``decode``."""

from __future__ import annotations

import sys
from typing import Any

import click

from .comparing import compare_tokenizers
from .corpora import chosen_texts, text_options
from .terminal import given, watched

MODELS = (
    "byte_bpe", "bpe", "word", "char", "wordpiece", "unigram", "sentencepiece", "bytepiece"
)


@click.group()
def tokenizer() -> None:
    """Make tokenizers, and compare them."""


tokenizer.add_command(compare_tokenizers)


@tokenizer.command("train")
@click.argument("output", type=click.Path(dir_okay=False))
@text_options
@click.option("--model", type=click.Choice(MODELS), default="byte_bpe", show_default=True)
@click.option("--vocab-size", type=click.IntRange(1), default=2048, show_default=True,
              help="Most entries of the vocabulary, special tokens included.")
@click.option("--special", "specials", multiple=True, default=["<|endoftext|>"],
              show_default=True, help="A special token; may be repeated.")
def train_tokenizer(output: str, model: str, vocab_size: int, specials: tuple[str, ...],
                    **source: Any) -> None:
    """Learn a tokenizer from text and write it to OUTPUT, a tokenizer.json.

    sentencepiece and bytepiece have formats of their own, and OUTPUT is written in those.

    \b
    Examples:
      minillm tokenizer train tok.json novel.txt --vocab-size 8000
      minillm tokenizer train tok.json texts/ --model char
      minillm tokenizer train tok.json --python-docs
      minillm tokenizer train tok.model novel.txt --model sentencepiece

    Byte-level BPE (byte_bpe) can write any text; its vocabulary holds the 256 bytes first. A
    tokenizer whose pieces are characters or words knows only those it has seen.
    """
    from tqdm import tqdm

    from ..tokenizers import Tokenizer

    texts = tqdm(chosen_texts(**source), "read", unit=" documents", disable=not watched())
    sizes = {} if model == "char" and not given("vocab_size") else {"vocab_size": vocab_size}
    made = Tokenizer.train(texts, model=model, special_tokens=specials, **sizes)
    made.save(output)
    click.echo(f"{output}: {made.vocab_size} entries")


@click.command()
@click.argument("tokenizer", type=click.Path())
@text_options
@click.option("--text", help="A text to encode, instead of files.")
@click.option("--output", type=click.Path(dir_okay=False),
              help="Write a token file for training instead of printing numbers.")
@click.option("--special", type=click.Choice(["raise", "allow", "text"]), default="raise",
              show_default=True, help="What to do with special tokens that stand in the text.")
def encode(tokenizer: str, text: str | None, output: str | None, special: str,
           **source: Any) -> None:
    """Turn text into token ids with TOKENIZER (a tokenizer.json, .tiktoken …).

    \b
    Examples:
      minillm encode tok.json --text "Hello, world."
      minillm encode tok.json novel.txt > ids.txt    one line per document
      minillm encode tok.json texts/ --output tokens.bin
    """
    from ..data import TokenDataset
    from ..generation.prompting import end_of
    from ..tokenizers import Tokenizer

    tok = Tokenizer.load(existing(tokenizer))
    if text is not None and (source["files"] or output):
        raise click.UsageError("--text goes alone, without files and --output")
    if output and given("special"):
        raise click.UsageError("--special goes without --output: special tokens in the text are "
                               "refused there, since they would look like ends of documents")
    if output is None:
        for document in [text] if text is not None else chosen_texts(**source):
            click.echo(" ".join(map(str, tok.encode(document, special))))
        return
    data = TokenDataset.build(output, chosen_texts(**source), tok, end_of(tok),
                              progress=watched())
    click.echo(f"{output}: {len(data):,} tokens")


@click.command()
@click.argument("tokenizer", type=click.Path())
@click.argument("ids", nargs=-1)
@click.option("--file", "path", type=click.Path(), help="A token file made by encode --output.")
def decode(tokenizer: str, ids: tuple[str, ...], path: str | None) -> None:
    """Turn token IDS back into text with TOKENIZER; without IDS they are read from the input.

    \b
    Examples:
      minillm decode tok.json 15496 11 995
      minillm encode tok.json novel.txt | minillm decode tok.json
      minillm decode tok.json --file tokens.bin
    """
    from ..data import TokenDataset
    from ..tokenizers import Tokenizer

    tok = Tokenizer.load(existing(tokenizer))
    if path is not None:
        if ids:
            raise click.UsageError("give IDS or --file, not both")
        click.echo(tok.decode(TokenDataset.open(existing(path)).ids), nl=False)
        return
    for line in [" ".join(ids)] if ids else sys.stdin:
        click.echo(tok.decode([whole_number(word) for word in line.split()]))


def whole_number(word: str) -> int:
    """An id written in digits, or an error that shows what was there instead."""
    if not (word.isascii() and word.isdigit()):
        raise ValueError(f"{word[:40]!r} is not a token id; expected whole numbers such as 15496")
    return int(word)


def existing(path: str) -> str:
    """The path, if there is something."""
    import os

    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    return path
