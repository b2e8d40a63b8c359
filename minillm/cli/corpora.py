"""Where the commands' text comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import click

from .titles import Document, joined, titled_files

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
        click.option("--collection", type=click.Choice(["en", "zh", "all"]),
                     help="The original short stories that come along."),
        click.option("--max-bytes", type=click.IntRange(1), help="Use no more text than this."),
        click.option("--per", type=click.Choice(UNITS), default="file", show_default=True,
                     help="What one document is in your files."),
        click.option("--encoding", default="utf-8", show_default=True,
                     help="Of your files, such as gb18030."),
    ]):
        command = option(command)
    return command


def chosen_texts(files: tuple[str, ...], stories: str | None, story_count: int, python_docs: bool,
                 collection: str | None, max_bytes: int | None, per: str, encoding: str,
                 story_seed: int = 1) -> Iterator[str]:
    """The documents asked for, at least one."""
    from ..data import documents, python_documentation
    from ..data import stories as grammar
    from ..data.text import up_to

    check_one_source(files, stories, python_docs, collection)
    found: Iterator[str]
    if stories:
        found = grammar.corpus(story_count, story_seed, stories, "small")
    elif python_docs:
        found = python_documentation()
    elif collection:
        found = (f"{story.title}\n\n{story.text}" for story in collected(collection))
    else:
        found = documents(files, per, encoding=encoding)
    return at_least_one(up_to(found, max_bytes), files)


def chosen_documents(titles: bool, **source: Any) -> tuple[list[str], bool]:
    """The documents asked for, and whether they have titles: then each is title<sep>text.

    Whole files and the collection's stories have; lines, paragraphs and generated text have not.
    """
    files, collection = source["files"], source["collection"]
    if not titles or not (collection or (files and source["per"] == "file")):
        return list(chosen_texts(**source)), False
    from ..data.text import up_to

    check_one_source(files, source["stories"], source["python_docs"], collection)
    found: Iterable[Document]
    if collection:
        found = (Document(story.title, story.text) for story in collected(collection))
    else:
        found = titled_files(files, source["encoding"])
    texts = up_to(map(joined, found), source["max_bytes"])
    return list(at_least_one(texts, files)), True


def collected(language: str) -> list[Any]:
    """The stories that come along."""
    from ..data import collection

    return collection.stories(None if language == "all" else language)


def check_one_source(files: tuple[str, ...], *others: Any) -> None:
    """Refuse no text, and texts of two kinds."""
    if sum(map(bool, (files, *others))) != 1:
        raise click.UsageError("give files or folders, or --stories, or --collection, or "
                               "--python-docs (one of them)")


def at_least_one(found: Iterator[str], files: tuple[str, ...]) -> Iterator[str]:
    """The same texts; an error if there is none."""
    first = next(found, None)
    if first is None:
        raise ValueError(f"there is no text in {', '.join(files)}; the files are empty or hold "
                         "white space only")
    return chain([first], found)
