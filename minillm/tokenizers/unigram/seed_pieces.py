"""Where the training of a unigram model begins: far too many pieces, each a promising substring.

A seed is a string of at least two characters that occurs at least twice and is followed by at
least two different things: a string that is always followed by the same letter is only a part of
a longer one. Kudo 2018 finds them with an enhanced suffix array (Abouelhoda, Kurtz and Ohlebusch
2004); ``seeds`` is the definition, and ``sorted_suffixes`` and its kernel find the same ones.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .word_counts import END

FORBIDDEN, ANY, INHERITED, ALONE, SPACE = -1, 0, -2, -3, -4  # classes of characters
PLACES = ("first", "last", "not_last", "not_first")  # where ▁ may stand
MAX_CHARACTERS = 16


def one_class(points: np.ndarray) -> np.ndarray:
    """All characters but NUL may stand together."""
    return np.where(points == 0, FORBIDDEN, ANY)


@dataclass(frozen=True)
class Validity:
    """Which strings may be pieces; the rules of SentencePiece's trainer.

    classes: code points (n,) -> class of each: a script from 1 on, ANY, INHERITED (from the
    character before), ALONE (never with others), SPACE or FORBIDDEN. Neighbours must be of one
    script, or one of them of ANY. space: where a SPACE may stand; only_spaces: pieces of them
    alone are welcome.
    """

    classes: Callable[[np.ndarray], np.ndarray] = one_class
    space: str = "first"
    only_spaces: bool = False
    longest: int = MAX_CHARACTERS

    @property
    def place(self) -> int:
        """Number of the rule for spaces, for kernels."""
        return PLACES.index(self.space)

    def classes_of(self, points: np.ndarray) -> np.ndarray:
        """Class of each code point: (n,) int64."""
        return np.asarray(self.classes(np.asarray(points)), np.int64)

    def __call__(self, piece: str) -> bool:
        kinds = self.classes_of(np.array([ord(character) for character in piece])).tolist()
        if len(kinds) > self.longest or FORBIDDEN in kinds or (ALONE in kinds and len(kinds) > 1):
            return False
        blank = self.only_spaces and set(kinds) == {SPACE}
        return one_script(kinds) and (
            SPACE not in kinds or blank or spaces_fit(kinds, self.space)
        )


def spaces_fit(kinds: Sequence[int], space: str) -> bool:
    """Do all spaces stand where they may?"""
    places = [k for k, kind in enumerate(kinds) if kind == SPACE]
    end = len(kinds) - 1
    if space in ("first", "last"):
        return places == [0 if space == "first" else end]
    return end == 0 or (end if space == "not_last" else 0) not in places


def one_script(kinds: Sequence[int]) -> bool:
    """Are no two neighbours of different scripts?"""
    before = ANY
    for kind in kinds:
        if kind == SPACE:
            continue
        kind = before if kind == INHERITED else kind
        if ANY not in (kind, before) and kind != before:
            return False
        before = kind
    return True


def seeds(
    words: Sequence[str],
    occurrences: Sequence[int],
    followers: Sequence[str],
    longest: int = MAX_CHARACTERS,
    valid: Callable[[str], bool] = bool,
    by_byte: bool = False,
) -> dict[str, int]:
    """Each seed and its score: how often it occurs times its length.

    followers: what comes after each word, the first character of the next one, or END, or
    END + chr(first byte of the next line). by_byte: as in SentencePiece since 0.2.2, whose suffixes
    are of bytes, with a NUL after each line. The first bytes of what follows must differ. And a
    string with that NUL is a seed too, which counts for the string without it: the ends of lines
    count again, if the next lines begin with different bytes.

    >>> seeds(["hug", "hugs", "pug"], [1, 1, 1], [END] * 3)
    {'hug': 6, 'ug': 6}
    """
    after: dict[str, Counter] = defaultdict(Counter)
    for word, times, follower in zip(words, occurrences, followers):
        for i in range(len(word)):
            for j in range(i + 2, min(i + longest, len(word)) + 1):
                after[word[i:j]][word[j] if j < len(word) else follower] += times
    found = {}
    for piece, next in after.items():
        different = {one.encode()[0] if by_byte else one for one in next}
        times = next.total() if len(different) > 1 else 0
        ends = [next[one] for one in next if one[0] == END]
        if by_byte and len(ends) > 1:
            times += sum(ends)
        if times and END not in piece and valid(piece):
            found[piece] = times * len(piece)
    return found


def character_counts(words: Sequence[str], counts: Sequence[int]) -> Counter[str]:
    """How often each character occurs."""
    total: Counter[str] = Counter()
    for word, count in zip(words, counts):
        for character in word:
            total[character] += count
    return total
