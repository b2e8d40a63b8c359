"""Original short stories in English and Chinese, written for this project, under its licence.

    from minillm.data import collection
    collection.stories("zh")[0].title

The files stand in the folders ``en`` and ``zh``: the title, an empty line, then a paragraph a line.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..text import read_text, text_files

LANGUAGES = ("en", "zh")


class Story(NamedTuple):
    """A short story. text: its paragraphs, with an empty line between two."""

    title: str
    text: str
    language: str


def folder(language: str) -> Path:
    """Where the stories of this language stand, "en" or "zh"."""
    if language not in LANGUAGES:
        raise ValueError(f"language={language!r}: expected one of {', '.join(LANGUAGES)}")
    return Path(__file__).parent / language


def stories(language: str | None = None) -> list[Story]:
    """The stories of one language, or of both, in a fixed order."""
    found = []
    for each in LANGUAGES if language is None else (language,):
        for path in text_files(folder(each)):
            title, _, text = read_text(path).strip().partition("\n\n")
            found.append(Story(title, text, each))
    return found
