"""Where the training of a unigram model begins: far too many pieces, each a promising substring.

A seed is a string of at least two characters that occurs at least twice and is followed by at
least two different things: a string that is always followed by the same letter is only a part of
a longer one. Kudo 2018 finds them with an enhanced suffix array (Abouelhoda, Kurtz and Ohlebusch
2004); ``seeds`` is the definition, and ``sorted_suffixes`` and its kernel find the same ones.
"""

from collections import Counter
from collections.abc import Callable, Sequence

END = "\0"  # what follows the last character of a text


def seeds(
    words: Sequence[str],
    occurrences: Sequence[int],
    followers: Sequence[str],
    longest: int = 16,
    valid: Callable[[str], bool] = bool,
    by_byte: bool = False,
) -> dict[str, int]:
    """Each seed and its score, how often it occurs times its length; the best first.

    followers: what comes after each word, END or the first character of the next word. by_byte:
    the first bytes of the characters that follow must differ, as in SentencePiece since 0.2.2.

    >>> seeds(["hug", "hugs", "pug"], [1, 1, 1], [END] * 3)
    {'ug': 6, 'hug': 6}
    """
    count: Counter[str] = Counter()
    after: dict[str, set] = {}
    for word, times, follower in zip(words, occurrences, followers):
        for i in range(len(word)):
            for j in range(i + 2, min(i + longest, len(word)) + 1):
                piece, next = word[i:j], (word + follower)[j]
                count[piece] += times
                after.setdefault(piece, set()).add(next.encode()[0] if by_byte else next)
    score = {
        piece: count[piece] * len(piece)
        for piece in count if len(after[piece]) > 1 and END not in piece and valid(piece)
    }
    return {piece: score[piece] for piece in sorted(score, key=lambda p: (-score[p], p))}


def character_counts(words: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
    """How often each character occurs, the most frequent first."""
    total: Counter[str] = Counter()
    for word, count in zip(words, counts):
        for character in word:
            total[character] += count
    return {c: total[c] for c in sorted(total, key=lambda c: (-total[c], c))}
