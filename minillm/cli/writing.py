"""The command ``generate``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from ..token_names import SEP
from .runs import open_model

SENTENCE_ENDS = tuple(".!?\u2026\u3002\uff01\uff1f")  # … 。 ！ ？ among them
CLOSING = "\"'\u201d\u2019)\u300d\uff09"  # quotes and brackets that may follow


@click.command()
@click.argument("model")
@click.option("--title", help="A title, for a model that was trained on texts with titles.")
@click.option("--prompt", default="", help="The beginning to continue.")
@click.option("--tokens", default=200, show_default=True, type=click.IntRange(0),
              help="Write at most so many.")
@click.option("--temperature", default=0.8, show_default=True, type=click.FloatRange(0),
              help="0: always the likeliest token; 1: as the model has learned; more: wilder.")
@click.option("--top-k", type=click.IntRange(1), help="Choose among the k likeliest only.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True),
              help="Choose among the fewest tokens that together reach this probability.")
@click.option("--min-p", type=click.FloatRange(0, 1),
              help="Choose among tokens with at least this share of the likeliest's probability.")
@click.option("--repetition-penalty", default=1.0, show_default=True, type=click.FloatRange(1),
              help="Above 1: tokens that have occurred become less likely.")
@click.option("--forbid", multiple=True, help="A token never to write, as it is spelled; may be "
                                              "repeated. <unk>, <sep> and <pad> always are.")
@click.option("--stop-after", type=click.IntRange(1),
              help="End with the first sentence that ends after so many tokens.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--count", default=1, show_default=True, type=click.IntRange(1),
              help="How many texts, with the seeds that follow.")
@click.option("--tokenizer", type=click.Path(), help="Default: the one in the run.")
def generate(model: str, title: str | None, prompt: str, tokens: int, seed: int, count: int,
             tokenizer: str | None, forbid: tuple[str, ...], stop_after: int | None,
             repetition_penalty: float, **chosen: Any) -> None:
    """Let MODEL write: a run, a checkpoint, or the word storyteller.

    \b
    Examples:
      minillm generate storyteller
      minillm generate storyteller --prompt "One sunny day, Jack" --count 3
      minillm generate runs/mine --prompt "It was" --temperature 0.7 --top-p 0.95
      minillm generate runs/novels --title "The Ferry" --prompt "It was" --stop-after 150

    A text ends with the model's end-of-text token or after --tokens tokens. Where it grows longer
    than the model's context, its beginning is forgotten, half a context at a time; a title stays.
    """
    from ..generation import stream
    from ..generation.prompting import beginning, forbidden, pieces

    gpt, tok = open_model(model, tokenizer)
    begin, end = beginning(tok, title, prompt)
    banned = forbidden(tok, forbid)
    if prompt.strip() and not tok.decode([id for id in begin if id not in banned]).strip():
        raise ValueError(f"prompt={prompt!r:.60} holds nothing that this tokenizer knows; every "
                         "token of it is one that the model may not write, such as <unk>")
    keep = 0 if title is None else begin.index(tok.token_to_id(SEP)) + 1
    for i in range(count):
        written = stream(gpt, begin, tokens, seed=seed + i, stop=() if end is None else (end,),
                         forbidden=banned, repetition=repetition_penalty, keep=keep, **chosen)
        click.echo(prompt, nl=False)
        for part in until_sentence_ends(pieces(tok, written), stop_after):
            click.echo(part, nl=False)
        click.echo()


def until_sentence_ends(parts: Iterable[tuple[int, str]], after: int | None) -> Iterator[str]:
    """The text up to the first sentence that ends after so many tokens."""
    ended = False
    for count, text in parts:
        if ended and not text.startswith(tuple(CLOSING)) and text:
            return
        yield text
        if after is not None and count >= after and text.strip(CLOSING):
            ended = text.rstrip().rstrip(CLOSING).endswith(SENTENCE_ENDS)
