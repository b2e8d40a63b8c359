"""Training unigram models: the kernels against the definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers.unigram.expectation import expect
from minillm.tokenizers.unigram.seed_pieces import FORBIDDEN, SPACE, Validity
from minillm.tokenizers.unigram.training import first_scores, train_pieces
from minillm.tokenizers.unigram.word_counts import Words, words_of_lines

from .test_unigram_training import GOLDEN, characters_of, words_of


@st.composite
def corpora(draw):
    letters = draw(st.sampled_from(["ab", "abcde", "aéè中文", "ab中"]))
    words = draw(st.sets(st.text(letters, min_size=1, max_size=20), min_size=1, max_size=25))
    ends = draw(st.sampled_from([
        ["\0"], ["▁"], ["\0", "▁", "é"], ["\0", "\0a", "\0\xe2", "▁"], ["\0\xe2", "\0\xff"],
    ]))
    rows = [("▁" + word, draw(st.integers(1, 9)), draw(st.sampled_from(ends))) for word in words]
    return tuple(map(list, zip(*rows)))


def classes(points):
    table = {0: FORBIDDEN, ord("▁"): SPACE, ord("中"): 2, ord("文"): 2}
    return np.array([table.get(point, 1) for point in points.tolist()])


@settings(max_examples=60, deadline=None)
@given(corpora(), st.sampled_from(["huggingface", "sentencepiece"]), st.booleans())
def test_kernels_follow_the_definition(corpus, variant, scripts):
    pytest.importorskip("numba")
    words, counts, followers = corpus
    table = Words.of(words, counts, followers)
    required = characters_of(words, counts)
    valid = Validity(classes) if scripts else Validity()
    steps = {"numba": [], "numpy": []}
    for name, seen in steps.items():
        with backend(name):
            train_pieces(
                table, len(required) + 3, required, variant, 1, valid,
                lambda kind, scores, *values: kind == "expect" and seen.append(  # noqa: B023
                    (list(scores if isinstance(scores, dict) else scores.pieces()), values[1])
                ),
            )
    fast, slow = steps["numba"], steps["numpy"]
    assert fast[0][0] == slow[0][0]
    # later, noise decides among equals
    assert [row[1] for row in fast[:2]] == pytest.approx([row[1] for row in slow[:2]], rel=1e-9)


@pytest.mark.parametrize("variant", ["huggingface", "sentencepiece"])
def test_what_follows_a_word_is_no_part_of_a_seed(variant):
    pytest.importorskip("numba")
    from minillm.tokenizers.unigram.array_training import PieceTable

    words, counts = ["aé", "aéa", "ba", "baé"], [3, 2, 7, 1]
    for followers in (["\0"] * 4, ["\0", "\0", "é", "b"], ["b", "\0a", "é", "\0"]):
        table = PieceTable(Words.of(words, counts, followers), variant, Validity(), 1000)
        wanted = first_scores(words, counts, variant, followers, Validity())
        assert list(table.pieces()) == list(wanted)
        assert table.pieces() == pytest.approx(wanted)


def test_long_pieces():
    pytest.importorskip("numba")
    words, counts = ["abcdefghijklmnopqrst" + end for end in "xyz"] + ["ab"], [4, 5, 6, 7]
    required, valid = characters_of(words, counts), Validity(longest=30)
    found = []
    for name in ("numba", "numpy"):
        with backend(name):
            found.append(train_pieces(
                Words.of(words, counts), len(required) + 2, required, "sentencepiece", 0, valid
            ))
    assert found[0] == pytest.approx(found[1], abs=1e-8)
    assert words[0][:-1] in found[0]


def test_kernels_give_the_same_vocabulary():
    pytest.importorskip("numba")
    for variant in ("huggingface", "sentencepiece"):
        words, counts, followers = words_of(GOLDEN["corpus"], variant == "sentencepiece")
        required = characters_of(words, counts)
        found = []
        for name in ("numba", "numpy"):
            with backend(name):
                table = Words.of(words, counts, followers)
                found.append(train_pieces(table, 110, required, variant, 1))
        assert found[0] == pytest.approx(found[1], abs=1e-8)


def test_very_long_and_improbable_words():
    """Probabilities far below what a float64 can hold."""
    pytest.importorskip("numba")
    from minillm.tokenizers.unigram.array_training import PieceTable

    rare = "".join(chr(0x4E00 + k) for k in range(300))
    words = ["x" * 500 + rare + "ab" * 600, "abab", "xx", rare[:7]]
    table = PieceTable(Words.of(words, [1, 3, 90, 1]), "sentencepiece", Validity(), 1000)
    expected, objective = table.expect()
    scores = table.pieces()
    wanted, mean = expect(words, [1, 3, 90, 1], scores)
    assert objective == pytest.approx(mean, rel=1e-10)
    assert expected.tolist() == pytest.approx([wanted[piece] for piece in scores], rel=1e-8)


def test_words_of_lines():
    pytest.importorskip("numba")
    from minillm.tokenizers.counting.distinct_pieces import joined

    lines = ["▁the▁cat", "▁the", "no mark▁the▁“the", "▁▁a", "é▁the"]
    table = words_of_lines(*joined([line.encode() for line in lines]))
    assert dict(zip(zip(table.strings()[0], table.strings()[2]), table.strings()[1])) == {
        ("▁the", "▁"): 2, ("▁cat", "\0\xe2"): 1, ("▁the", "\0n"): 1, ("no mark", "▁"): 1,
        ("▁“the", "\0\xe2"): 1, ("▁", "▁"): 1, ("▁a", "\0\xc3"): 1, ("é", "▁"): 1,
        ("▁the", "\0"): 1,
    }
