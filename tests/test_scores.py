"""BLEU and chrF against sacrebleu, F1 and accuracy by hand, and bad input."""

import json
from pathlib import Path

import pytest

from minillm.scores import accuracy, bleu, characters_zh, chrf, f1, words_13a

GOLDEN = json.loads((Path(__file__).parent / "golden" / "scores.json").read_text("utf-8"))


def test_sacrebleu_agrees():
    """Every set of texts, whole and damaged, in three ways of cutting."""
    assert len(GOLDEN["cases"]) > 100
    for case in GOLDEN["cases"]:
        texts, references = case["texts"], case["references"]
        found = bleu(texts, references, case["tokenize"])
        assert found == pytest.approx(case["bleu"], abs=1e-9), (texts, references)
        assert chrf(texts, references) == pytest.approx(case["chrf"], abs=1e-9), (texts, references)


def test_bleu_by_hand():
    """4 of 5 words, 2 of 4 pairs, 1 of 3 triples; no run of four, which counts as 1/2 of 2."""
    expected = 100 * (4 / 5 * 2 / 4 * 1 / 3 * 1 / (2 * 2)) ** 0.25
    assert bleu(["a b c x d"], ["a b c d e"]) == pytest.approx(expected)


def test_brevity():
    """Half as long as the reference, and all of it right: e^(1 - 2)."""
    assert bleu(["a b c d"], ["a b c d e f g h"]) == pytest.approx(100 * 2.718281828459045**-1)


def test_cutting():
    assert words_13a("Don't pay $1,000.50, now!") == ["Don't", "pay", "$", "1,000.50", ",", "now",
                                                      "!"]
    assert characters_zh("我爱GPT-2。") == ["我", "爱", "GPT-2", "。"]


def test_f1_and_accuracy():
    """Of three spoons two were found and one fork was taken for a spoon."""
    found = ["spoon", "spoon", "fork", "spoon", "knife"]
    right = ["spoon", "spoon", "spoon", "fork", "knife"]
    assert accuracy(found, right) == pytest.approx(3 / 5)
    assert f1(found, right) == pytest.approx({"spoon": 2 * 2 / 6, "fork": 0.0, "knife": 1.0})


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: bleu("a", ["a"]), TypeError, "texts='a': expected a list of texts"),
    (lambda: bleu(["a"], [1]), TypeError, "references="),
    (lambda: bleu(["a"], ["a", "b"]), ValueError, "texts has 1 texts and references 2"),
    (lambda: chrf([], []), ValueError, "at least one"),
    (lambda: bleu(["a"], ["a"], "intl"), ValueError, "tokenize='intl': expected one of 13a, zh"),
    (lambda: f1([], []), ValueError, "at least one"),
    (lambda: accuracy([1, 2], [1]), ValueError, "one class for each example in both"),
])
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
