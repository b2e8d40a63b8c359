"""Cutting text into words: the dictionary first, then the hidden Markov model for what is left."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from .dictionary import Dictionary
from .hmm import Hmm

BLOCK = re.compile("([\u4e00-\u9fd5a-zA-Z0-9+#&._%-]+)")  # runs that are cut into words
SPACE = re.compile(r"(\r\n|\s)")
HAN = re.compile("([\u4e00-\u9fd5]+)")
NUMBER = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")
LETTER = re.compile("[a-zA-Z0-9]")


def parts(pattern: re.Pattern[str], text: str) -> list[str]:
    """The matches and what lies between them, without empty ones."""
    return [part for part in pattern.split(text) if part]


def outside_words(text: str) -> list[str]:
    """Text between blocks: each white space character (\\r\\n is one) and each other character."""
    return [
        piece for part in parts(SPACE, text)
        for piece in ([part] if SPACE.match(part) else part)
    ]


@dataclass(eq=False)
class Cutter:
    """Cuts text into words, as jieba 0.42.1 does; joined they are the text.

    Characters that the dictionary left alone are joined again and given to the `hmm`, which can
    find words that are in no dictionary. Without one they stay alone.
    """

    dictionary: Dictionary
    hmm: Hmm | None = None

    def __call__(self, text: str) -> list[str]:
        """The words of a text."""
        pieces = parts(BLOCK, text)
        blocks = [piece for piece in pieces if BLOCK.match(piece)]
        found = iter(self.cut_blocks(blocks))
        words: list[str] = []
        for piece in pieces:
            words += next(found) if BLOCK.match(piece) else outside_words(piece)
        return words

    def cut_blocks(self, blocks: Sequence[str]) -> list[list[str]]:
        """The words of each block."""
        routes = self.dictionary.routes(blocks)
        rows = [follow(block, route) for block, route in zip(blocks, routes)]
        if self.hmm is None:
            return [
                join_letters([w for text, alone in row for w in (text if alone else [text])])
                for row in rows
            ]
        unknown = [text for row in rows for text, alone in row if alone and self.is_unknown(text)]
        han = [part for run in unknown for part in parts(HAN, run) if HAN.match(part)]
        known = dict(zip(han, self.hmm.cut(han)))
        return [self.with_hmm(row, known) for row in rows]

    def is_unknown(self, run: str) -> bool:
        """Several characters that are no word of the dictionary as a whole."""
        return len(run) > 1 and run not in self.dictionary

    def with_hmm(
        self, row: Sequence[tuple[str, bool]], known: dict[str, list[str]]
    ) -> list[str]:
        """The words, with unknown runs cut by the hidden Markov model."""
        result: list[str] = []
        for text, alone in row:
            if not alone:
                result.append(text)
            elif not self.is_unknown(text):
                result += text
            else:
                for part in parts(HAN, text):
                    result += known[part] if HAN.match(part) else parts(NUMBER, part)
        return result


def follow(text: str, route: Sequence[int]) -> list[tuple[str, bool]]:
    """The words of a route; single characters that follow each other are one run (True)."""
    found, start, run = [], 0, 0  # a run begins at `run` and ends at `start`
    while start < len(text):
        end = route[start]
        if end - start > 1:
            if run < start:
                found.append((text[run:start], True))
            found.append((text[start:end], False))
            run = end
        start = end
    if run < start:
        found.append((text[run:start], True))
    return found


def join_letters(words: Sequence[str]) -> list[str]:
    """Single ASCII letters and digits that follow each other become one word."""
    result: list[str] = []
    for letters, run in groupby(words, key=lambda word: LETTER.fullmatch(word) is not None):
        found = list(run)
        result += ["".join(found)] if letters else found
    return result
