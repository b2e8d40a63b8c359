"""Finding new words, and the recipe of CPM."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import chinese
from minillm.chinese import find_words, from_cpm, to_cpm, with_cpm
from minillm.chinese.cpm import CpmText
from minillm.chinese.new_words import statistics, statistics_fast
from minillm.data import stories
from minillm.tokenizers import Tokenizer

from ..tokenizers.texts import text as any_text


def test_statistics_by_hand():
    [word] = [row for row in statistics(["甲乙丙，甲乙丁，丙甲乙"], 2, 3) if row.word == "甲乙"]
    assert word.occurrences == 3
    assert math.isclose(word.cohesion, math.log(3 * 9 / (3 * 3)))
    assert math.isclose(word.left_entropy, math.log(3))  # two ends, which differ, and one 丙
    assert math.isclose(word.right_entropy, math.log(3))  # 丙, 丁 and an end


@settings(max_examples=150)
@given(
    st.lists(st.text("甲乙丙丁，", max_size=30), max_size=4), st.integers(2, 5), st.integers(1, 3)
)
def test_fast_statistics_equal_the_definition(texts, longest, min_count):
    expected = statistics(texts, longest, min_count)
    found = statistics_fast(texts, longest, min_count)
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for a, b in zip(found, expected):
        assert a[2:] == pytest.approx(b[2:], abs=1e-9)


def test_the_least_split_counts():
    """A frequent character beside a word makes no word, though one of its splits holds."""
    text = "，".join(f"{a}的电影{b}" for a in "我你他她谁" for b in "好坏新旧长")
    text += "，".join(f"{a}电影{b}" for a in "看拍演放" for b in "院票史迷") + "，的" * 200
    found = {row.word for row in find_words([text], min_cohesion=1.0)}
    assert "电影" in found
    assert "的电影" not in found


def test_names_are_found_in_stories():
    text = "".join(stories.corpus(1500, seed=3, language="zh"))
    known = chinese.cutter().dictionary
    found = {row.word for row in find_words([text], known)}
    assert {"诗涵", "佩珊", "振华", "万花筒", "猫头鹰"} <= found


def test_cpm_by_hand():
    cut = chinese.cut
    assert to_cpm("今天 去 公园。\n好", cut) == "今天 ▂ 去 ▂ 公园 。 ▃ 好"
    assert from_cpm("今天 ▂ 去 ▃ 好") == "今天 去\n好"


@settings(max_examples=100)
@given(any_text.filter(lambda text: "\u2582" not in text and "\u2583" not in text))
def test_cpm_comes_back(text):
    made, sources = CpmText(chinese.cut).aligned(text)
    assert from_cpm(made) == text
    assert len(sources) == len(made)
    covered = [i for i, j in sources.tolist() for i in range(i, j)]
    assert covered == list(range(len(text)))


def test_any_tokenizer_can_follow():
    texts = list(stories.corpus(40, seed=1, language="zh"))
    inner = Tokenizer.train([to_cpm(text, chinese.cut) for text in texts], "byte_bpe", 600)
    tok = with_cpm(inner, chinese.cut)
    for text in [*texts[:5], "结婚的和尚未结婚的 ok\n再见"]:
        ids, offsets = tok.encode_with_offsets(text)
        assert tok.decode(ids) == text
        assert ids == tok.encode(text)
        assert offsets[-1][1] == len(text)


@pytest.mark.parametrize("model", ["byte_bpe", "sentencepiece", "char"])
def test_tokens_become_text_as_they_come(model):
    """Marks whose bytes lie in several tokens, and the space that some decoders drop in front."""
    texts = ["他来到了北京。\n我们 走吧 ▆ ▀\n", "a b\n\n  c 天气很好。", "▂▃ ▁ \n"]
    options = {"vocab_size": 300} if model == "byte_bpe" else {"vocab_size": 60}
    if model == "sentencepiece":
        options |= {"hard_vocab_limit": False, "character_coverage": 1.0}
    inner = Tokenizer.train([to_cpm(text, chinese.cut) for text in texts * 3], model, **options)
    tok = with_cpm(inner, chinese.cut)
    for text in texts:
        ids, shown = tok.encode(text), tok.stream()
        parts = [shown.push(id) for id in ids]
        assert "".join(parts) + shown.finish() == tok.decode(ids)
        if len(ids) > 12:
            assert sum(map(bool, parts)) > len(ids) / 5
