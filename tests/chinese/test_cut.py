"""Chinese words: golden values of jieba 0.42.1, definitions against kernels, and files."""

import itertools
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend, chinese
from minillm.chinese import Cutter, Dictionary, Hmm
from minillm.chinese.hmm import NEVER, STATES, words_of
from minillm.tokenizers.formats.untrusted import BrokenFileError

GOLDEN = json.loads(Path(__file__).parents[1].joinpath("golden/chinese.json").read_text("ascii"))
DICTIONARY = Dictionary(GOLDEN["counts"], GOLDEN["total"])
HMM = Hmm(GOLDEN["start"], GOLDEN["transitions"], GOLDEN["emissions"])
CHARACTERS = sorted(set("".join(GOLDEN["samples"])))
nasty = st.text(st.sampled_from(CHARACTERS), max_size=30) | st.text(max_size=12)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_words_are_those_of_jieba(name):
    with backend(name):
        assert [Cutter(DICTIONARY, HMM)(text) for text in GOLDEN["samples"]] == GOLDEN["words"]
        assert [Cutter(DICTIONARY)(text) for text in GOLDEN["samples"]] == GOLDEN["without_hmm"]


@settings(max_examples=300)
@given(nasty)
def test_kernels_find_what_the_definitions_find(text):
    pytest.importorskip("numba")
    for cutter in (Cutter(DICTIONARY, HMM), Cutter(DICTIONARY), chinese.cutter()):
        words = cutter(text)
        assert "".join(words) == text
        with backend("numpy"):
            assert cutter(text) == words


@settings(max_examples=200)
@given(st.text("南京市长江大桥结婚和尚未的", max_size=9))
def test_the_route_is_the_best_of_all(text):
    ends = DICTIONARY.lattice(text)

    def scores(start):
        if start == len(text):
            return [0.0]
        return [
            DICTIONARY.log_probability(text[start:end]) + rest
            for end in ends[start] for rest in scores(end)
        ]

    words = DICTIONARY.best_words(text)
    assert "".join(words) == text
    assert math.isclose(sum(map(DICTIONARY.log_probability, words)), max(scores(0)), abs_tol=1e-9)


@settings(max_examples=100)
@given(st.text("鞠婧祎网易杭研大厦", min_size=1, max_size=5))
def test_tags_are_the_best_of_all(text):
    def score(tags):
        value = HMM.start[tags[0]] + HMM.emission(tags[0], text[0])
        for k in range(1, len(text)):
            value += HMM.transitions[tags[k - 1]].get(tags[k], NEVER)
            value += HMM.emission(tags[k], text[k])
        return value

    every = [
        tags for tags in itertools.product(STATES, repeat=len(text))
        if tags[-1] in "ES" and tags[0] in "BS"
        and all(b in HMM.transitions[a] for a, b in itertools.pairwise(tags))
    ]
    assert math.isclose(score(HMM.tags(text)), max(map(score, every)), rel_tol=1e-12)


def test_fitting_counts():
    model = Hmm.fit([["我", "爱", "北京"], ["北京", "天安门"]])
    assert model.start == {"S": math.log(1 / 2), "B": math.log(1 / 2)}
    assert model.transitions["B"] == {"E": math.log(2 / 3), "M": math.log(1 / 3)}
    assert model.emissions["B"] == {"北": math.log(2 / 3), "天": math.log(1 / 3)}
    assert model.tags("北京") == ["B", "E"]
    assert words_of("北京天安门", "BEBME") == ["北京", "天安门"]
    assert words_of("北京天", "BEB") == ["北京", "天"]


@pytest.mark.parametrize(("text", "words"), [
    ("南京市长江大桥", "南京市 长江大桥"), ("结婚的和尚未结婚的", "结婚 的 和 尚未 结婚 的"),
    ("研究生命的起源", "研究 生命 的 起源"), ("乒乓球拍卖完了", "乒乓球拍 卖 完 了"), ("", ""),
])
def test_the_small_dictionary(text, words):
    assert chinese.cut(text) == words.split()


def test_own_sentences_come_out_as_they_were_cut():
    sentences = chinese.segmented_sentences()
    right = sum(chinese.cut("".join(sentence)) == list(sentence) for sentence in sentences)
    assert right > 0.9 * len(sentences)


def test_loading(tmp_path):
    path = tmp_path / "dict.txt"
    path.write_text("南京 9 ns\n南京市 5\n\n市长 4 n\n", encoding="utf-8")
    dictionary = Dictionary.load(path)
    assert dictionary.total == 18
    assert dictionary.lattice("南京市长") == [[2, 3], [2], [4], [4]]
    assert "南京" in dictionary
    assert "南" not in dictionary
    assert len(dictionary) == 3


@pytest.mark.parametrize(("content", "message"), [
    ("南京\n", "line 1"), ("南京 x n\n", "line 1"), ("a 1\nb ４ n\n", "line 2"), ("", "together"),
    ("a 1 n extra\n", "line 1"), ("a " + "9" * 99 + "\n", "too long"), ("a 0\n", "together"),
    ("字" * 300 + " 3\n", "too long"), ("a -3\n", "line 1"),
])
def test_broken_dictionaries_say_where(content, message, tmp_path):
    path = tmp_path / "dict.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BrokenFileError, match=message) as caught:
        Dictionary.load(path)
    assert "dict.txt" in str(caught.value)


def test_broken_models_say_where(tmp_path):
    for name in ("start", "trans", "emit"):
        tmp_path.joinpath(f"prob_{name}.py").write_text("P={'B': __import__('os')}", "utf-8")
    with pytest.raises(BrokenFileError, match="prob_start"):
        Hmm.load(tmp_path)


def test_wrong_counts_are_refused():
    with pytest.raises(ValueError, match="all 0"):
        Dictionary({"a": 0})
    with pytest.raises(ValueError, match="''"):
        Dictionary({"": 1})


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_parity_with_jieba():
    jieba = pytest.importorskip("jieba")
    jieba.setLogLevel(60)
    folder = Path(jieba.__file__).parent
    cutter = Cutter(Dictionary.load(folder / "dict.txt"), Hmm.load(folder / "finalseg"))
    plain = Cutter(cutter.dictionary)
    from minillm.data import stories

    texts = [*GOLDEN["samples"], *stories.corpus(50, seed=5, language="zh")]
    for text in texts:
        assert cutter(text) == list(jieba.cut(text))
        assert plain(text) == list(jieba.cut(text, HMM=False))
