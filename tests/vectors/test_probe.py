"""A linear probe, and what it finds in one word with two meanings."""

from itertools import product

import numpy as np
import pytest

from minillm.models import LSTM, RecurrentConfig, Word2Vec, Word2VecConfig
from minillm.training import AdamW
from minillm.vectors import linear_probe


def clouds(n=200, seed=0):
    """Three classes that overlap, in columns of very different size, one of them constant."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 4)) + np.eye(4)[labels] * 2
    x[:, 3] = 0.7
    return x * [1, 1000, 1e-3, 1] + [5, 0, 0, 0], labels


def test_it_ends_where_no_gradient_is_left():
    """Without decay the loss has one minimum, at which the classes' means are those predicted."""
    x, labels = clouds()
    probe = linear_probe(x, labels, steps=3000, decay=0)
    e = np.exp(probe.logits(x))
    e = e / e.sum(axis=1, keepdims=True) - np.eye(3)[labels]
    z = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)
    assert abs(e.mean(axis=0)).max() < 1e-3
    assert abs(z[:, :3].T @ e / len(x)).max() < 1e-3
    assert probe.accuracy(*clouds(seed=1)) > 0.75
    assert not probe.w[3].any()


def test_one_probe_for_one_x():
    a, b = linear_probe(*clouds()), linear_probe(*clouds())
    assert np.array_equal(a.w, b.w)
    assert np.array_equal(a.b, b.b)


def test_labels_without_meaning_are_not_found_elsewhere():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(400, 5)), rng.integers(0, 2, 400)
    assert 0.35 < linear_probe(x[:200], labels[:200]).accuracy(x[200:], labels[200:]) < 0.65


@pytest.mark.parametrize(("x", "labels", "error", "message"), [
    (np.ones((3, 2)), [0, 1], ValueError, r"labels \(2,\)"),
    (np.ones(3), [0, 1, 0], ValueError, r"x has shape \(3,\)"),
    (np.ones((0, 2)), np.zeros(0, int), ValueError, "N at least 1"),
    (np.ones((2, 2)), [0.0, 1.0], TypeError, "labels has dtype float64"),
    (np.ones((2, 2)), [-1, 1], ValueError, "labels holds -1"),
    (np.ones((2, 2)), [0, 2], ValueError, "no example of class 1, of 3"),
    (np.ones((2, 2)), [1, 1], ValueError, "no example of class 0, of 2"),
    (np.ones((2, 2)), [0, 0], ValueError, "no example of class 1, of 2"),
    (np.full((2, 2), np.nan), [0, 1], ValueError, "x holds NaN"),
])
def test_refused(x, labels, error, message):
    with pytest.raises(error, match=message):
        linear_probe(x, labels)


def test_refused_of_a_probe():
    probe = linear_probe(*clouds())
    with pytest.raises(ValueError, match="expected vectors of width 4"):
        probe.predict(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"labels has shape \(1,\); expected \(2,\)"):
        probe.accuracy(np.ones((2, 4)), [1])
    for settings in (dict(steps=0), dict(lr=0), dict(decay=-1)):
        with pytest.raises(ValueError, match=next(iter(settings))):
            linear_probe(*clouds(), **settings)


ANIMALS = ["小狗", "小马", "大象", "老牛"]
PLACES = ["这座桥", "这条路", "这条隧道", "这条巷子"]
STATES = ["累", "困", "饿", "渴", "窄", "黑", "长", "滑"]  # four of animals, four of places
LONG = [[a, "不肯", "走", p[:2], p[2:], "，", "因为", "它", "太", s, "了", "。"]
        for a, p, s in product(ANIMALS, PLACES, STATES)]
SHORT = [[a, "很", s, "。"] for a, s in product(ANIMALS, STATES[:4])]
SHORT += [[p[:2], p[2:], "很", s, "。"] for p, s in product(PLACES, STATES[4:])]
STATE = np.tile(np.arange(8), 16)
PLACE = (STATE >= 4).astype(int)  # does 它 mean the place?
UNSEEN = np.random.default_rng(0).random(len(LONG)) < 0.25


def read(texts, index, backwards):
    """The texts as rows of ids, filled up with 0, and where 它 stands."""
    texts = [text[::-1] if backwards else text for text in texts]
    ids = np.zeros((len(texts), max(map(len, texts))), int)
    for row, text in zip(ids, texts, strict=True):
        row[:len(text)] = [index[word] for word in text]
    return ids, [text.index("它") if "它" in text else 0 for text in texts]


def vectors_of_it(backwards):
    """Of 它 in each long sentence, by an LSTM that has learned to predict the next word."""
    index = {word: i for i, word in enumerate(sorted({w for t in LONG for w in t} | {"很"}), 1)}
    learned = [text for text, unseen in zip(LONG, UNSEEN, strict=True) if not unseen] + SHORT * 4
    ids, _ = read(learned, index, backwards)
    targets = np.where(ids[:, 1:] > 0, ids[:, 1:], -100)
    model = LSTM(RecurrentConfig(vocab_size=len(index) + 1, context=12, layers=1, width=24))
    optimizer = AdamW(model, lr=1e-2, weight_decay=0.01)
    for _ in range(150):
        model.grads[:] = 0
        model.loss(ids[:, :-1], targets)
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()
    ids, places = read(LONG, index, backwards)
    return model.hidden(ids)[np.arange(len(LONG)), places]


def test_a_static_vector_has_one_meaning():
    vectors = Word2Vec(LONG + SHORT, Word2VecConfig(width=16, least=1, epochs=5)).train().vectors
    x = np.array([vectors[text[text.index("它")]] for text in LONG])
    probe = linear_probe(x[~UNSEEN], PLACE[~UNSEEN])
    assert len(set(probe.predict(x).tolist())) == 1  # the same answer to every sentence
    assert probe.accuracy(x, PLACE) == 0.5


def test_a_vector_in_its_sentence_has_the_meaning_it_has_there():
    """From the end, the state is read before 它; also one that the probe has never met."""
    x = vectors_of_it(backwards=True)
    probe = linear_probe(x[~UNSEEN], PLACE[~UNSEEN])
    assert probe.accuracy(x[UNSEEN], PLACE[UNSEEN]) > 0.95
    new = (STATE == 3) | (STATE == 7)  # 渴 and 滑
    assert linear_probe(x[~new], PLACE[~new]).accuracy(x[new], PLACE[new]) > 0.9


def test_from_the_beginning_nothing_is_known_yet():
    x = vectors_of_it(backwards=False)
    probe = linear_probe(x[~UNSEEN], PLACE[~UNSEEN])
    assert probe.accuracy(x, PLACE) < 0.7
