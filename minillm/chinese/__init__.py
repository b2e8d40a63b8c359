"""Chinese words: cutting text by a dictionary and a hidden Markov model, and finding new words.

    from minillm import chinese
    chinese.cut("他来到了北京")                            # the small dictionary that comes along
    chinese.Cutter(chinese.Dictionary.load("dict.txt"))    # a larger one, in jieba's format
"""

from functools import cache

from .cpm import CpmText, from_cpm, to_cpm, with_cpm
from .dictionary import Dictionary
from .hmm import Hmm
from .new_words import NewWord, find_words
from .sentences import segmented_sentences
from .user_words import with_user_words
from .word_cutting import Cutter

__all__ = [
    "CpmText", "Cutter", "Dictionary", "Hmm", "NewWord", "cut", "cutter", "find_words",
    "from_cpm", "segmented_sentences", "to_cpm", "with_cpm", "with_user_words",
]


@cache
def cutter() -> Cutter:
    """The cutter that comes along: its words and its model are those of the project's sentences."""
    sentences = segmented_sentences()
    return Cutter(Dictionary.from_sentences(sentences), Hmm.fit(sentences))


def cut(text: str) -> list[str]:
    """The words of a text, by the cutter that comes along; joined they are the text."""
    return cutter()(text)
