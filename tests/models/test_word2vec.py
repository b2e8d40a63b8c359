"""word2vec: its gradient, its chance, its learning, and what is refused."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from minillm import backend, ops
from minillm.data import stories
from minillm.models import Word2Vec, Word2VecConfig
from minillm.models.word_windows import CHUNK, WordWindows
from minillm.ops.negative_samples import windows
from minillm.vectors import cosine

BACKENDS = ["numpy", "numba"]
KINDS = {"skip-gram": (ops.skip_gram, False), "CBOW": (ops.bag_of_neighbours, True)}


def loss_of(inputs, outputs, window, mean):
    """By the equation, a pair at a time."""
    _, around, words = window
    total = 0.0
    rows = inputs[around]
    for x in [rows.mean(axis=0)] if mean else rows:
        total -= np.log(1 / (1 + np.exp(-x @ outputs[words[0]])))
        for drawn in words[1:]:
            if drawn != words[0]:
                total -= np.log(1 / (1 + np.exp(x @ outputs[drawn])))
    return total


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_goes_along_the_gradient(kind, which):
    """Every number of both tables against finite differences; words repeat in the window."""
    step, mean = KINDS[kind]
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(5, 3)) for _ in range(2)]
    ids, start, reach = np.array([1, 4, 2, 1, 1]), np.array([0, 5]), np.array([0, 0, 2, 0, 0])
    negatives = np.array([[0, 0], [0, 0], [3, 2], [0, 0], [0, 0]])
    negatives[2] = [3, 3] if mean else [3, 2]  # twice the same, or the true one
    (window,) = windows(ids, start, reach, negatives)
    assert window[1].tolist() == [1, 4, 1, 1]
    before = [t.copy() for t in tables]
    with backend(which):
        step(*tables, ids, start, reach, negatives, np.full(5, 0.01))
    for table, was in zip(tables, before, strict=True):
        gradient = (was - table) / 0.01
        for place in np.ndindex(was.shape):
            found = []
            for sign in (1, -1):
                moved = [b.copy() for b in before]
                moved[0 if table is tables[0] else 1][place] += sign * 1e-5
                found.append(loss_of(*moved, window, mean))
            numeric = (found[0] - found[1]) / 2e-5
            assert gradient[place] == pytest.approx(numeric, rel=1e-6, abs=1e-8)


def test_the_loss_is_the_equations():
    rng = np.random.default_rng(1)
    x, u, words = rng.normal(size=(4, 3)), rng.normal(size=(5, 3)), np.array([3, 1, 3, 0, 1])
    outputs = np.zeros((4, 3))
    outputs[words] = u
    expected = loss_of(x, outputs, (0, np.arange(4), words), False)
    assert ops.negative_sampling(x, outputs[words], words) == pytest.approx(expected, rel=1e-12)
    far = ops.negative_sampling(np.array([[1e4]]), np.array([[-1.0], [1.0]]), np.array([0, 1]))
    assert far == pytest.approx(2e4)


def test_windows_end_where_documents_end():
    ids, start = np.arange(7), np.array([0, 3, 3, 4, 7])
    reach, negatives = np.full(7, 2), np.zeros((7, 1), int)
    found = {int(words[0]): around.tolist() for _, around, words in windows(ids, start, reach,
                                                                           negatives)}
    assert found == {0: [1, 2], 1: [0, 2], 2: [0, 1], 4: [5, 6], 5: [4, 6], 6: [4, 5]}


def letters(n=400, seed=0):
    """Documents in which a, b, c stand near vowels of their own: a to x, b to y, c to z."""
    rng = np.random.default_rng(seed)
    partner = {"a": "x", "A": "x", "b": "y", "B": "y", "c": "z", "C": "z"}
    return [[w for word in rng.choice(list("aAbBcC"), 1) for w in (word, partner[word]) * 3]
            for _ in range(n)]


@pytest.mark.parametrize("cbow", [False, True])
def test_words_in_the_same_company_are_neighbours(cbow):
    config = Word2VecConfig(width=8, window=2, cbow=cbow, subsample=None, epochs=20, lr=0.1)
    model = Word2Vec(letters(), config)
    before = model.loss()
    assert before == pytest.approx(np.log(2) * 6, rel=0.2)  # coins, 1 true and 5 drawn
    vectors = model.train().vectors
    assert model.loss() < 0.7 * before
    for one, other in ("aA", "bB", "cC"):
        assert next(w for w, _ in vectors.nearest(one) if w in "aAbBcC") == other


def test_classes_of_the_stories():
    """Names, animals, foods: the nearest of all these words is of the same class."""
    documents = [re.findall(r"[A-Za-z]+|[^\w\s]", s) for s in stories.corpus(1500, 1, size="small")]
    vectors = Word2Vec(documents, Word2VecConfig(width=50, epochs=2)).train().vectors
    lists = stories.grammar("en", "small").lists
    words = [(entry["name"], kind) for kind in ("person", "animal", "treat", "colour")
             for entry in lists[kind] if entry["name"] in vectors]
    assert len(words) > 40
    cosines = cosine(*[[vectors[word] for word, _ in words]] * 2) - 2 * np.eye(len(words))
    right = [kind == words[j][1] for (_, kind), j in zip(words, cosines.argmax(1), strict=True)]
    assert np.mean(right) > 0.95


@pytest.mark.parametrize("cbow", [False, True])
def test_same_seed_same_vectors(cbow):
    config = Word2VecConfig(width=6, epochs=2, cbow=cbow)

    def vectors(seed):
        return Word2Vec(letters(), config, seed).train().vectors.vectors

    assert np.array_equal(vectors(1), vectors(1))
    assert not np.array_equal(vectors(1), vectors(2))


@pytest.mark.parametrize("cbow", [False, True])
def test_backends_agree(cbow):
    found = []
    for which in BACKENDS:
        with backend(which):
            model = Word2Vec(letters(60), Word2VecConfig(width=6, cbow=cbow), dtype=np.float64)
            found.append(model.train().inputs.copy())
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("cbow", "first"), [(False, 0.025), (True, 0.075)])
def test_the_rate_falls_in_a_straight_line(cbow, first, monkeypatch):
    seen = []
    for op in ("skip_gram", "bag_of_neighbours"):
        monkeypatch.setattr(ops, op, lambda *arguments: seen.append(arguments[-1]))
    documents = letters(40)
    Word2Vec(documents, Word2VecConfig(cbow=cbow, subsample=None, epochs=3), dtype=float).train()
    total = 3 * sum(map(len, documents))
    np.testing.assert_allclose(np.concatenate(seen), first * (1 - np.arange(total) / total))


def test_the_tables_are_filled_up_with_zeros():
    model = Word2Vec(letters(), Word2VecConfig(width=5)).train()
    assert not model._inputs[:, 5:].any()
    assert not model._outputs[:, 5:].any()
    assert model.vectors.vectors.shape == (9, 5)


def test_drawn_words_follow_the_power():
    documents = [["a"] * 1600 + ["b"] * 160 + ["c"] * 16 + ["d"]]
    text = WordWindows(documents, least=1, subsample=None, window=5, negatives=10)
    assert text.words == ["a", "b", "c", "d"]
    power = np.array([1600, 160, 16, 1]) ** 0.75
    shares = np.bincount(text.table) / len(text.table)
    np.testing.assert_allclose(shares, power / power.sum(), atol=1e-6)
    _, ids, start, reach, negatives = text.draw(0, 1, np.random.default_rng(0))
    drawn = np.bincount(negatives.ravel(), minlength=4) / negatives.size
    np.testing.assert_allclose(drawn, power / power.sum(), atol=0.01)
    assert len(ids) == 1777
    assert start.tolist() == [0, 1777]
    np.testing.assert_allclose(np.bincount(reach)[1:] / 1777, 0.2, atol=0.04)


def test_frequent_words_are_left_out_often():
    documents = [["often"] * 90 + ["seldom"] * 10] * 300
    text = WordWindows(documents, least=5, subsample=0.05, window=5, negatives=1)
    places, ids, start, *_ = text.draw(0, 300, np.random.default_rng(0))
    t = np.array([0.05 / 0.9, 0.05 / 0.1])
    kept = np.bincount(ids) / [27000, 3000]
    np.testing.assert_allclose(kept, np.minimum(np.sqrt(t) + t, 1), atol=0.01)
    assert np.array_equal(text.ids[places], ids)
    assert np.array_equal(np.searchsorted(places, np.arange(0, 30001, 100)), start)


def test_chunks_are_all_documents_once():
    documents = [["a", "b"] * 10] * 3 + [["a"] * (CHUNK + 5)] + [["b", "a"] * 30_000] * 5 + [[]]
    text = WordWindows(documents, least=1, subsample=None, window=1, negatives=1)
    chunks = list(text.chunks())
    assert chunks[0][0] == 0
    assert chunks[-1][1] == len(documents)
    assert all(a[1] == b[0] for a, b in pairwise(chunks))
    assert len(chunks) > 3


def test_rare_words_have_no_vector():
    model = Word2Vec([["a", "b", "c", "a", "b"]], Word2VecConfig(least=2))
    assert model.text.words == ["a", "b"]
    assert model.text.ids.tolist() == [0, 1, 0, 1]
    assert Counter(model.text.counts.tolist()) == {2: 2}


@pytest.mark.parametrize(("documents", "error", "message"), [
    ([], ValueError, "documents holds 0 words"),
    ([[]], ValueError, "documents holds 0 words"),
    ([["one"] * 20], ValueError, "documents holds 1 words"),
    ([["a", "b"]], ValueError, "at least least=5 times"),
    (["a text that is not cut into words"], TypeError, "expected a list of words"),
])
def test_corpora_that_teach_nothing(documents, error, message):
    with pytest.raises(error, match=message):
        Word2Vec(documents)


def test_documents_of_one_word():
    model = Word2Vec([["a"], ["b"]] * 20)
    before = model.inputs.copy()
    assert np.array_equal(model.train().inputs, before)
    with pytest.raises(ValueError, match="two words that have vectors"):
        model.loss()


@pytest.mark.parametrize(("option", "message"), [
    (dict(window=0), "window=0: expected a whole number of at least 1"),
    (dict(window=2.5), "window=2.5"), (dict(width=0), "width=0"), (dict(negatives=0), "negatives"),
    (dict(epochs=-1), "epochs=-1"), (dict(least=0), "least=0"), (dict(cbow=1), "cbow=1"),
    (dict(lr=0), "lr=0"), (dict(subsample=-1e-3), "subsample=-0.001"),
    (dict(lr=float("nan")), "lr=nan"),
])
def test_refused(option, message):
    with pytest.raises(ValueError, match=message):
        Word2VecConfig(**option)


@pytest.mark.parametrize(("change", "message"), [
    (dict(ids=np.array([0, 4])), r"ids holds 4, outside \[0, 4\)"),
    (dict(negatives=np.array([[0], [-1]])), "negatives holds -1"),
    (dict(reach=np.array([1, -1])), "reach holds -1"),
    (dict(start=np.array([0, 3])), "start goes from 0 to 3"),
    (dict(start=np.array([0, 5, 2])), "none less than the one before"),
    (dict(rates=np.ones(3)), r"rates \(3,\)"),
    (dict(outputs=np.ones((4, 3))), "tables of one shape"),
])
def test_the_kernel_reads_nothing_beside_its_arrays(change, message):
    arguments = dict(inputs=np.ones((4, 2)), outputs=np.ones((4, 2)), ids=np.array([0, 1]),
                     start=np.array([0, 2]), reach=np.array([1, 1]),
                     negatives=np.array([[2], [3]]), rates=np.ones(2))
    with pytest.raises(ValueError, match=message):
        ops.skip_gram.numba(*(arguments | change).values())
