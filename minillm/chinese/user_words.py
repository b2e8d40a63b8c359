"""Words of one's own, added to a dictionary as jieba 0.42.1 adds those of a user dictionary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..tokenizers.formats.untrusted import BrokenFileError, read_text
from .dictionary import MAX_COUNT, MAX_WORD, Dictionary
from .word_cutting import BLOCK, follow, join_letters, outside_words, parts

LINE = re.compile("(.+?)( [0-9]+)?( [a-z]+)?")
Word = tuple[str, int | None]  # None: as often as it takes to be cut as one word


def with_user_words(
    dictionary: Dictionary, words: str | Path | Iterable[str | tuple[str, int]]
) -> Dictionary:
    """A dictionary with more words; the old one stays as it is.

    words: words, some perhaps with a count, or the path of a user dictionary of jieba's: lines
    ``word``, ``word count``, ``word tag`` or ``word count tag``. A word without a count gets the
    smallest with which it is cut as one word: its parts' probabilities, multiplied.
    """
    if isinstance(words, str | Path):
        found = read_words(Path(words))
    else:
        found = [(word, None) if isinstance(word, str) else word for word in words]
    grown = Dictionary(dictionary.frequencies, dictionary.total)
    for word, count in found:
        if not word or (count is not None and count < 1):
            raise ValueError(f"words has {word!r} with the count {count}; expected 1 or more")
        number = enough(grown, word) if count is None else count
        for n in range(1, len(word)):
            grown.frequencies.setdefault(word[:n], 0)
        grown.frequencies[word] = number
        grown.total += number
    return grown


def enough(dictionary: Dictionary, word: str) -> int:
    """The count with which a word is more probable than the words it would be cut into."""
    share = 1.0
    for part in cut_plainly(dictionary, word):
        share *= dictionary.frequencies.get(part, 1) / float(dictionary.total)
    return max(int(share * dictionary.total) + 1, dictionary.frequencies.get(word, 1))


def cut_plainly(dictionary: Dictionary, text: str) -> list[str]:
    """The words of a text without the hidden Markov model."""
    words: list[str] = []
    for piece in parts(BLOCK, text):
        if BLOCK.match(piece):
            row = follow(piece, dictionary.route(piece))
            words += join_letters([w for run, alone in row for w in (run if alone else [run])])
        else:
            words += outside_words(piece)
    return words


def read_words(path: Path) -> list[Word]:
    """The words of a user dictionary, with their counts where it has them."""
    found: list[Word] = []
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").splitlines(), 1):
        match = LINE.fullmatch(line.strip())
        if not match:
            continue
        word, count = match[1], match[2] and match[2].strip()
        if len(word) > MAX_WORD or (count and len(count) > 16):
            raise BrokenFileError(f"{path}: line {number}: a count or a word too long")
        if count and not 0 < int(count) < MAX_COUNT:
            raise BrokenFileError(
                f"{path}: line {number}: the count of {word!r:.60} is {int(count)}; expected 1 or "
                "more (0, by which jieba keeps characters apart, is not supported)"
            )
        found.append((word, int(count) if count else None))
    return found
