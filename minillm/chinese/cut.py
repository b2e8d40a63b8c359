"""Cutting text into words: the dictionary first, then the hidden Markov model for what is left."""

import re
from collections.abc import Iterator, Sequence
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
        rows = [list(follow(block, route)) for block, route in zip(blocks, routes)]
        if self.hmm is None:
            return [join_letters(row) for row in rows]
        runs = [part for row in rows for run in self.unknown_runs(row) for part in parts(HAN, run)]
        han = [part for part in runs if HAN.match(part)]
        known = dict(zip(han, self.hmm.cut(han)))
        return [self.with_hmm(row, known) for row in rows]

    def unknown_runs(self, words: Sequence[str]) -> list[str]:
        """Runs of single characters that are no word of the dictionary as a whole."""
        return [
            "".join(run) for alone, run in grouped(words) if alone and self.is_unknown("".join(run))
        ]

    def is_unknown(self, run: str) -> bool:
        return len(run) > 1 and run not in self.dictionary

    def with_hmm(self, words: Sequence[str], known: dict[str, list[str]]) -> list[str]:
        """The words, with unknown runs cut by the hidden Markov model."""
        result: list[str] = []
        for alone, run in grouped(words):
            joined = "".join(run)
            if alone and self.is_unknown(joined):
                for part in parts(HAN, joined):
                    result += known[part] if HAN.match(part) else parts(NUMBER, part)
            else:
                result += run
        return result


def grouped(words: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Runs of words of one character (True) and of longer ones."""
    return ((alone, list(run)) for alone, run in groupby(words, key=is_single))


def is_single(word: str) -> bool:
    return len(word) == 1


def follow(text: str, route: Sequence[int]) -> Iterator[str]:
    start = 0
    while start < len(text):
        yield text[start : route[start]]
        start = route[start]


def join_letters(words: Sequence[str]) -> list[str]:
    """Single ASCII letters and digits that follow each other become one word."""
    result: list[str] = []
    for letters, run in groupby(words, key=lambda word: LETTER.fullmatch(word) is not None):
        found = list(run)
        result += ["".join(found)] if letters else found
    return result
