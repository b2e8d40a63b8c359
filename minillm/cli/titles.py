"""A text's title, which stands before it in training and before a prompt in generation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..token_names import SEP

LONGEST = 80  # characters of a first line that may be a title


class Document(NamedTuple):
    """A text and its title."""

    title: str
    text: str


def with_title(text: str, name: str) -> Document:
    """The title is a short first line with an empty line below it, or else the file's name."""
    first, _, rest = text.strip().partition("\n")
    if len(first) <= LONGEST and rest.startswith("\n") and rest.strip():
        return Document(first.strip(), rest.strip())
    return Document(name, text.strip())


def titled_files(files: tuple[str, ...], encoding: str) -> Iterator[Document]:
    """The texts of files, or of all files in folders, each with its title."""
    from ..data.text import read_text, text_files

    for path in text_files(files):
        text = read_text(path, encoding)
        if text.strip():
            yield with_title(text, Path(path).stem)


class Titled:
    """A tokenizer for documents as ``joined`` writes them, with no other special token in them."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.vocab_size = tokenizer, tokenizer.vocab_size
        self.token_to_id = tokenizer.token_to_id

    def encode_batch(self, texts: list[str]) -> tuple[Any, Any]:
        """(ids, offsets): of each text the title's ids, that of ``<sep>``, the rest's."""
        import numpy as np

        parts = [text.split(SEP, 1) for text in texts]
        ids, offsets = self.tokenizer.encode_batch([part for pair in parts for part in pair])
        ids = np.insert(ids, offsets[1::2], self.token_to_id(SEP))
        return ids, offsets[::2] + np.arange(len(parts) + 1)


def joined(document: Document) -> str:
    """title<sep>text"""
    return f"{document.title}{SEP}{document.text}"
