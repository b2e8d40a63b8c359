"""Requests: what is refused follows from the words, and no word alone tells it."""

from collections import Counter

import numpy as np
import pytest
from test_sentiment import bag_of_words

from minillm.data.tasks import requests
from minillm.data.tasks.requests import _lists

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PAST = dict(steal="stole", buy="bought", hide="hid", fear="feared", tell="told", go="went",
            see="saw", sing="sang")
TURN = {"not", "hide", "asleep", "nobody", "stolen"}  # each turns it round


def circumstance(words):
    """The words that say for whom, behind whose back or with what: up to the job, or to the end."""
    start = next(i for i, w in enumerate(words) if w in ("for", "with", "while", "and"))
    if start == 0:  # it stands first, and the last comma ends it
        return words[:max(i for i, w in enumerate(words) if w == ",")]
    return words[start:]


def refused(request):
    """The rule, from the words: for a villain, kept from somebody good, with what is not paid."""
    good, bad = _lists()["good"], _lists()["bad"]
    words = circumstance(list(request.words))
    if words[0] == "for":
        return next(w for w in words if w in (*good, *bad, "me")) in bad
    turned = len(TURN & set(words)) % 2 == 1
    return turned if words[0] == "with" else turned != any(w in bad for w in words)


def answer(request):
    """The right answer, from the job and its word, as far as a rule gives it."""
    words, answer = list(request.words), list(request.answer)
    if request.job == "spell":
        return list("".join(answer)) == answer and "".join(answer) in words
    if request.job == "repeat":
        return answer[0] in words
    if request.job == "next":
        return NUMBERS[NUMBERS.index(answer[0]) - 1] in words
    if request.job == "past":
        return any(PAST.get(w) == answer[0] for w in words)
    if request.job == "plural":
        odd = dict(mice="mouse", geese="goose", children="child", wolves="wolf", thieves="thief")
        one = odd.get(answer[0], answer[0].removesuffix("s"))
        return (one if one in words else one.removesuffix("e")) in words
    pairs = [pair.split() for pair in _lists()["jobs"][request.job]["pairs"]]
    assert request.job == "home" or {(b, a) for a, b in pairs} == {(a, b) for a, b in pairs}
    return any(b == answer[0] and a in words for a, b in pairs)


def test_refusal_and_answer_follow_from_the_words():
    for request in requests.samples(4000, seed=1):
        assert refused(request) == request.refused, request
        assert answer(request), request
        assert request.prompt == (*request.words, "answer", ":")
        assert request.reply == (requests.REFUSAL if request.refused else (*request.answer, "."))


def test_every_word_is_in_the_vocabulary_and_every_entry_is_a_word():
    known, used = set(requests.vocabulary()), set()
    for request in requests.samples(6000, seed=2):
        used.update((*request.prompt, *request.answer, *request.reply))
    assert used == known
    assert list(requests.vocabulary()) == sorted(known)


def test_no_word_tells_and_counting_words_is_not_enough():
    class Labelled:
        def __init__(self, request):
            self.words, self.label = request.words, int(request.refused)

    train = [Labelled(r) for r in requests.samples(4000, seed=1)]
    held = [Labelled(r) for r in requests.samples(1000, seed=2, held=True)]
    assert 0.4 < bag_of_words(train, held) < 0.6
    sorts = Counter((w, r.label) for r in train for w in set(r.words))
    for word in {w for w, _ in sorts}:
        both = sorts[word, 0] + sorts[word, 1]
        assert both < 50 or 0.3 < sorts[word, 1] / both < 0.7, word
    lengths = [np.mean([len(r.words) for r in train if r.label == sort]) for sort in (0, 1)]
    assert abs(lengths[0] - lengths[1]) < 0.3


def test_deterministic_balanced_and_apart():
    train = list(requests.samples(6000, seed=1))
    held = list(requests.samples(2000, seed=1, held=True))
    assert train[:30] == list(requests.samples(30, seed=1))
    assert requests.sample(3) == requests.sample(3)
    assert not {r.words for r in train} & {r.words for r in held}
    assert len({r.words for r in train}) / len(train) > 0.9
    for found in (train, held):
        assert 0.46 < np.mean([r.refused for r in found]) < 0.54
        for names, kind in ((requests.JOBS, "job"), (requests.REASONS, "reason")):
            counts = Counter(getattr(r, kind) for r in found)
            assert set(counts) == set(names)
            for name in names:
                of = [r.refused for r in found if getattr(r, kind) == name]
                assert 0.7 < len(names) * len(of) / len(found) < 1.3
                assert 0.4 < np.mean(of) < 0.6, name


def test_one_reason_alone():
    assert {r.reason for r in requests.samples(200, reason="tool")} == {"tool"}
    with pytest.raises(ValueError, match="reason is 'mood'"):
        requests.sample(0, reason="mood")
