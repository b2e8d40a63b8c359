"""User dictionaries, with and without counts: the frequencies and words of jieba 0.42.1."""

import json
from pathlib import Path

import pytest

from minillm.chinese import Cutter, Dictionary, with_user_words

FOLDER = Path(__file__).parents[1] / "golden"
KNOWN = json.loads((FOLDER / "chinese.json").read_text("ascii"))
STORED = json.loads((FOLDER / "user_words.json").read_text("ascii"))
DICTIONARY = Dictionary(KNOWN["counts"], KNOWN["total"])


def test_counts_and_words_of_a_file(tmp_path):
    (tmp_path / "user.txt").write_text("\ufeff" + STORED["lines"], "utf-8")
    before = dict(DICTIONARY.frequencies)
    grown = with_user_words(DICTIONARY, tmp_path / "user.txt")
    assert grown.frequencies == STORED["frequencies"]
    assert grown.total == STORED["total"]
    assert [Cutter(grown)(sample) for sample in KNOWN["samples"]] == STORED["words"]
    assert (DICTIONARY.frequencies, DICTIONARY.total) == (before, KNOWN["total"])


def test_a_word_without_a_count_is_cut_as_one():
    text = "乒乓球拍卖完了"
    assert "拍卖完了" not in Cutter(DICTIONARY)(text)
    grown = with_user_words(DICTIONARY, ["拍卖完了", ("乒乓球", 10**6)])
    assert Cutter(grown)(text) == ["乒乓球", "拍卖完了"]


def test_wrong_words(tmp_path):
    (tmp_path / "user.txt").write_text("好 5\n人 0\n", "utf-8")
    with pytest.raises(ValueError, match="line 2: the count of '人' is 0"):
        with_user_words(DICTIONARY, tmp_path / "user.txt")
    with pytest.raises(ValueError, match="with the count 0"):
        with_user_words(DICTIONARY, [("人", 0)])
    (tmp_path / "user.txt").write_text("好\n", "utf-8")
    with pytest.raises(ValueError, match="with_user_words"):
        Dictionary.load(tmp_path / "user.txt")
