"""Where the commands' text comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import click

UNITS = ("file", "paragraph", "line")


def text_options(command: Callable) -> Callable:
    """The arguments with which a command is given text."""
    for option in reversed([
        click.argument("files", nargs=-1, type=click.Path()),
        click.option("--stories", type=click.Choice(["en", "zh"]),
                     help="Made-up stories from the built-in grammar, English or Chinese."),
        click.option("--story-count", default=20_000, show_default=True,
                     type=click.IntRange(1), help="How many stories."),
        click.option("--python-docs", is_flag=True,
                     help="The documentation of the Python that runs this command."),
        click.option("--max-bytes", type=click.IntRange(1), help="Use no more text than this."),
        click.option("--per", type=click.Choice(UNITS), default="file", show_default=True,
                     help="What one document is in your files."),
    ]):
        command = option(command)
    return command


def chosen_texts(files: tuple[str, ...], stories: str | None, story_count: int, python_docs: bool,
                 max_bytes: int | None, per: str, story_seed: int = 1) -> Iterator[str]:
    """The documents asked for, at least one."""
    from ..data import documents, python_documentation
    from ..data import stories as grammar
    from ..data.text import up_to

    if (bool(files) + bool(stories) + python_docs) != 1:
        raise click.UsageError("give files or folders, or --stories, or --python-docs (one of "
                               "them)")
    found: Iterator[str]
    if stories:
        found = grammar.corpus(story_count, story_seed, stories, "small")
    elif python_docs:
        found = python_documentation()
    else:
        found = documents(files, per)
    found = up_to(found, max_bytes)
    first = next(found, None)
    if first is None:
        raise ValueError(f"there is no text in {', '.join(files)}; the files are empty or hold "
                         "white space only")
    return chain([first], found)
