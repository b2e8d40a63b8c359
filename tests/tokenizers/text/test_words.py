"""Marking where words begin, beside the definition: between characters no piece has together."""

import random
from itertools import pairwise

import numpy as np
import pytest

from minillm.tokenizers.bpe.character_words import joints_of
from minillm.tokenizers.text.words_kernel import WINDOW, mark_words, marked_length

# Á and ā end with a byte that ▁ ends with; ┖ begins as ▁ does.
TEXTS = ["abc", "a▁b", "▁▁", "Áb", "cā", "▁Á", "\x80a", "漢字", "字a", "┖b"]


def marks_of(text, joints):
    data = np.frombuffer(text.encode(), np.uint8)
    marks = np.full(len(data) + WINDOW, 7, np.uint8)
    mark_words(data, 0, len(data), joints, marks)
    return marks


@pytest.mark.parametrize("alphabet", ["abc▁", "ab▁Áā", "漢字a▁┖", "\x80ab▁", "abcÁā漢字\x80┖▁😀"])
@pytest.mark.parametrize("length", [1, 9, 31, 300])
def test_words_begin_between_characters_that_stand_together_nowhere(alphabet, length):
    joints, together = joints_of(TEXTS), {pair for text in TEXTS for pair in pairwise(text)}
    rng = random.Random(length)
    for _ in range(20):
        text = "".join(rng.choices(alphabet, k=length))
        marks = marks_of(text, joints)
        place, wrong = 0, 0
        for before, character in pairwise(text):
            place += len(before.encode())
            begins = (before, character) not in together
            wrong += marks[place] != begins
            assert begins or not marks[place]  # nothing is cut that may be joined
            assert not marks[place + 1 : place + len(character.encode())].any()
        assert wrong <= length // 50  # the Bloom filter may be wrong, the table never is


def test_the_length_of_a_word_ends_at_the_next_mark_or_the_end_of_the_text():
    marks = np.zeros(200, np.uint8)
    marks[[0, 3, 4, 90]] = 1
    assert [marked_length(marks, i, 100, marks) for i in (0, 3, 4, 90)] == [3, 1, 86, 10]
    assert marked_length(marks, 4, 80, marks) == 76
