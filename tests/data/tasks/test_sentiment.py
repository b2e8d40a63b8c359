"""Opinions: labels follow from the words' order, and counting words does not find them."""

from collections import Counter

import numpy as np
import pytest

from minillm.data.tasks import sentiment
from minillm.data.tasks.sentiment import _lists

LANGUAGES = ("en", "zh")
DENIALS = {"not", "nobody", "never", "不"}


def bag_of_words(train, held):
    """Held-out accuracy of logistic regression on the words' counts."""
    vocabulary = sorted({w for s in train for w in s.words})
    index = {w: i for i, w in enumerate(vocabulary)}

    def count(sentences):
        x = np.zeros((len(sentences), len(index) + 1))
        x[:, -1] = 1
        for row, s in zip(x, sentences):
            for w in s.words:
                row[index[w]] += 1
        return x, np.array([s.label for s in sentences])

    x, y = count(train)
    w = np.zeros(x.shape[1])
    for _ in range(400):
        p = 1 / (1 + np.exp(-x @ w))
        w -= 1.0 * x.T @ (p - y) / len(y)
    x, y = count(held)
    return float(((x @ w > 0) == y).mean())


def read(opinion, language):
    """The label by rule, from the words alone: find the main clause, count denials in it."""
    words = list(opinion.words)
    comma = [i for i, w in enumerate(words) if w in (",", ";", "，")]
    if comma:
        first, second = words[: comma[0]], words[comma[0] + 1:]
        words = first if second[0] in ("although", "虽然") else second
    good = {a for g in _lists()[language]["groups"] for a in g["positive"]}
    bad = {a for g in _lists()[language]["groups"] for a in g["negative"]}
    found = [w for w in words if w in good | bad]
    assert len(found) == 1, words
    return int((found[0] in good) ^ bool(DENIALS & set(words)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_follow_from_the_words(language):
    for opinion in sentiment.samples(3000, seed=1, language=language):
        assert read(opinion, language) == opinion.label, opinion


@pytest.mark.parametrize("language", LANGUAGES)
def test_counting_words_is_not_enough(language):
    train = list(sentiment.samples(4000, seed=1, language=language))
    held = list(sentiment.samples(1000, seed=2, language=language, held=True))
    assert 0.4 < bag_of_words(train, held) < 0.75


@pytest.mark.parametrize("language", LANGUAGES)
def test_deterministic_balanced_and_apart(language):
    train = list(sentiment.samples(4000, seed=1, language=language))
    held = list(sentiment.samples(1000, seed=1, language=language, held=True))
    assert train[:30] == list(sentiment.samples(30, seed=1, language=language))
    assert sentiment.sample(3, language) == sentiment.sample(3, language)
    assert not {s.words for s in train} & {s.words for s in held}
    assert 0.47 < np.mean([s.label for s in train]) < 0.53
    assert 0.45 < np.mean([s.label for s in held]) < 0.55
    kinds = Counter(s.kind for s in train)
    assert set(kinds) == set(sentiment.KINDS)
    assert 0.35 < kinds["contrast"] / len(train) < 0.45


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_both_good_and_bad_within_a_group(language):
    for group in _lists()[language]["groups"]:
        assert not set(group["positive"]) & set(group["negative"])


def test_refusal():
    with pytest.raises(ValueError, match="language is 'fr'"):
        sentiment.sample(0, "fr")
