"""Encoding a file that may be larger than memory: block by block, ids straight to disk.

A block may end only where the whole text would be cut anyway. For the rules of GPT-2 and later
that is between a letter and the white space after it: no piece holds both, and what follows is cut
as if nothing stood before it. Then the ids are those of the whole text. Other tokenizers get the
file line by line, as their libraries do; each line, with its line break, is a text.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .patterns.named_rules import PATTERNS
from .pre_tokenizers.split_rules import Split
from .special_tokens import Special
from .stages import Stages

BLOCK = 1 << 20  # bytes
SAFE = re.compile(r"[A-Za-z\u4e00-\u9fff](?=[ \n])")


def text_blocks(path: Path, block: int = BLOCK) -> Iterator[str]:
    """The text of a UTF-8 file in blocks that each end after a letter before white space."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest, position = "", 0
    with open(path, "rb") as file:
        while data := file.read(block):
            searched = max(0, len(rest) - 1)
            try:
                rest += decoder.decode(data)
            except UnicodeDecodeError as error:
                raise not_utf8(path, position + error.start) from None
            position += len(data)
            end = last_safe_place(rest, searched)
            if end:
                yield rest[:end]
                rest = rest[end:]
    try:
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise not_utf8(path, position) from None
    if rest:
        yield rest


def not_utf8(path: Path, position: int) -> ValueError:
    """The error for a file that is not UTF-8."""
    return ValueError(
        f"{path}: byte {position} is not valid UTF-8; convert the file to UTF-8 first"
    )


def last_safe_place(text: str, start: int = 0) -> int:
    """Where a block may end: behind the last letter before a space or line break; 0 if nowhere.

    There is none before `start`.
    """
    for first in (max(start, len(text) - 4096), start):
        places = [match.end() for match in SAFE.finditer(text, first)]
        if places:
            return places[-1]
    return 0


def lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file, each with its line break as it is."""
    with open(path, encoding="utf-8", newline="\n") as file:
        try:
            yield from file
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: not valid UTF-8 ({error.reason}); convert the file to UTF-8 first"
            ) from None


def cuts_like_a_rule(tok: Stages) -> bool:
    """Do blocks that end between a letter and white space leave the ids alone?"""
    cut = tok.pre_tokenizer
    plain = isinstance(cut, Split) and cut.rule in PATTERNS
    spaced = any(re.search(r"\s", token) for token in tok.special_tokens)
    return plain and tok.normalizer is None and tok.post_processor is None and not spaced


def encode_file(
    tok: Any, path: str | os.PathLike[str], output: str | os.PathLike[str],
    special: Special = "raise", progress: bool = False,
) -> Any:
    """Encode a text file with a Tokenizer into a token file, and open that as a ``TokenDataset``.

    Memory does not grow with the file. special: as in ``Tokenizer.encode``. The file is one long
    text, which the tokenizer neither truncates nor fills up.
    """
    from ..data.tokens import TokenDataset

    path = Path(path)
    if tok.truncation is not None or tok.padding is not None:
        tok = replace(tok, truncation=None, padding=None)
    parts = text_blocks(path) if cuts_like_a_rule(tok) else lines(path)
    return TokenDataset.build(output, parts, WithMode(tok, special), None, progress)


class WithMode:
    """A tokenizer whose ``encode_batch`` treats special tokens in one way."""

    def __init__(self, tok: Any, special: Special):
        self.tok, self.special, self.vocab_size = tok, special, tok.vocab_size

    def encode_batch(self, texts: list[str]) -> Any:
        """The ids of several texts."""
        return self.tok.encode_batch(texts, self.special)
