"""One-hot, bag of words and TF-IDF, equal to scikit-learn's."""

import json
from pathlib import Path

import numpy as np
import pytest

from minillm.vectors import bag_of_words, inverse_document_frequency, one_hot, tf_idf, word_index

from .texts import LEARNED, OTHERS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "vectors.json").read_text())
learned, others = ([text.split() for text in texts] for texts in (LEARNED, OTHERS))


def test_equal_to_scikit_learn():
    index = word_index(learned)
    assert list(index) == GOLDEN["words"]
    assert list(index.values()) == list(range(len(index)))
    assert np.array_equal(bag_of_words(others, index), GOLDEN["counts"])
    counts = bag_of_words(learned, index)
    idf = inverse_document_frequency(counts)
    np.testing.assert_allclose(idf, GOLDEN["idf"], rtol=1e-14)
    np.testing.assert_allclose(tf_idf(counts, idf), GOLDEN["learned"], rtol=1e-13)
    np.testing.assert_allclose(tf_idf(bag_of_words(others, index), idf), GOLDEN["others"],
                               rtol=1e-13)


def test_a_bag_is_the_sum_of_its_words():
    index = word_index(learned)
    for words, row in zip(learned, bag_of_words(learned, index), strict=True):
        assert np.array_equal(one_hot([index[w] for w in words], len(index)).sum(axis=0), row)
        assert np.array_equal(bag_of_words([words[::-1]], index)[0], row)


def test_rare_words_are_left_out():
    assert list(word_index([["b", "a"], ["b", "c", "c"]], least=2)) == ["b", "c"]


def test_one_hot_of_any_shape():
    ids = np.array([[2, 0], [1, 1]])
    assert np.array_equal(one_hot(ids, 3).argmax(axis=-1), ids)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: one_hot([0, 3], 3), ValueError, r"ids holds 3, outside \[0, 3\)"),
    (lambda: one_hot([-1], 3), ValueError, "ids holds -1"),
    (lambda: one_hot([0.5], 3), TypeError, "ids has dtype float64"),
    (lambda: one_hot([0], 0), ValueError, "V=0"),
    (lambda: word_index([]), ValueError, "documents holds no word"),
    (lambda: word_index([[], []]), ValueError, "documents holds no word"),
    (lambda: word_index([["a"]], least=0), ValueError, "least=0"),
    (lambda: word_index("a text"), TypeError, "expected a list of words"),
    (lambda: word_index(["a text"]), TypeError, r"documents\[0\]='a text' is a text"),
    (lambda: bag_of_words([["a"]], {}), ValueError, "index is empty"),
    (lambda: inverse_document_frequency(np.zeros(3)), ValueError, r"counts has shape \(3,\)"),
    (lambda: inverse_document_frequency(np.zeros((0, 3))), ValueError, "counts has no row"),
    (lambda: tf_idf(np.ones((2, 3)), np.ones(2)), ValueError, r"idf has shape \(2,\)"),
])
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
