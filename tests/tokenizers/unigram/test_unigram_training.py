"""Training unigram models: brute force and golden values."""

import itertools
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.unigram.expectation import (
    alternative,
    digamma,
    expect,
    lattice_of,
    loss_without,
    maximize,
    rounded_loss,
)
from minillm.tokenizers.unigram.most_probable import Unigram, single
from minillm.tokenizers.unigram.seed_pieces import ALONE, INHERITED, SPACE, Validity, seeds
from minillm.tokenizers.unigram.training import train_pieces
from minillm.tokenizers.unigram.word_counts import Words

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/unigram.json").read_text("ascii"))


def words_of(lines, followers=True):
    table = Counter()
    for line in lines:
        parts = ["▁" + part for part in line.split(" ")]
        end = "\0" if line is lines[-1] else "\0\xe2"  # the next line begins with ▁
        nexts = ["▁"] * (len(parts) - 1) + [end] if followers else ["\0"] * len(parts)
        table.update(zip(parts, nexts))
    return [word for word, _ in table], list(table.values()), [end for _, end in table]


def characters_of(words, counts):
    total = Counter()
    for word, count in zip(words, counts):
        for character in word:
            total[character] += count
    return sorted(total, key=lambda c: (-total[c], c))


# -- golden values ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_encodings_of_both_libraries(name):
    if name == "numba":
        pytest.importorskip("numba")
    for row in GOLDEN["encodings"]:
        pieces = [tuple(piece) for piece in row["pieces"]]
        pieces += [(f"<0x{b:02X}>", 0.0, 6) for b in range(256) if row["fallback"]]
        texts, scores, types = zip(*pieces)
        kinds = types if row["variant"] == "sentencepiece" else None
        tok = Tokenizer(Unigram(
            [text.encode() for text in texts], scores, kinds, 0, row["fallback"], row["variant"]
        ))
        with backend(name):
            assert [tok.encode(text) for text in row["texts"]] == row["ids"]
        for text, offsets in zip(row["texts"], row["offsets"] or []):
            assert tok.encode_with_offsets(text)[1] == [tuple(span) for span in offsets]


@pytest.mark.parametrize("size", [90, 120])
@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_hugging_face_vocabulary(name, size):
    if name == "numba":
        pytest.importorskip("numba")
    with backend(name):
        tok = Tokenizer.train(GOLDEN["corpus"], "unigram", size)
    theirs = dict(map(tuple, GOLDEN["huggingface"][str(size)]))
    assert {tok.id_to_token(id) for id in range(size)} == set(theirs)
    mine = {tok.id_to_token(id): score for id, score in enumerate(tok.model.scores.tolist())}
    far = [piece for piece in mine if abs(mine[piece] - theirs[piece]) > 1e-9]
    # characters that are no pieces after pruning come in an order that changes from run to run
    assert all(len(piece) == 1 and abs(mine[piece] - theirs[piece]) < 0.01 for piece in far)
    assert len(far) < len(mine) / 3


@pytest.mark.parametrize("size", [90, 120])
@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_sentencepiece_vocabulary(name, size):
    if name == "numba":
        pytest.importorskip("numba")
    words, counts, followers = words_of(GOLDEN["corpus"])
    table, required = Words.of(words, counts, followers), characters_of(words, counts)
    with backend(name):
        found = train_pieces(table, size, required, "sentencepiece", 3)
    theirs = dict(map(tuple, GOLDEN["sentencepiece"][str(size)]))
    assert len(found) == len(theirs) == size - 3
    assert found == pytest.approx(theirs, abs=1e-3)


# -- seeds ------------------------------------------------------------------------------------


def test_seeds_by_hand():
    found = seeds(["▁hug", "▁hugs", "▁pug"], [5, 2, 1], ["\0"] * 3)
    assert found == {"ug": 16, "▁hug": 28, "hug": 21}
    assert seeds(["aé", "aè", "aé"], [1, 1, 1], ["x", "x", "y"]) == {"aé": 4}
    # é and è begin with the same byte, so that "ba" is not followed by different bytes
    assert "ba" in seeds(["baé", "baè"], [1, 1], ["\0"] * 2)
    assert "ba" not in seeds(["baé", "baè"], [1, 1], ["\0"] * 2, by_byte=True)


def test_ends_of_lines_count_again():
    """Where the next lines begin with different bytes; no line at all is different, too."""
    words, counts = ["cat", "cat", "cats"], [5, 3, 1]
    assert seeds(words, counts, ["\0a", "\0b", "\0"], by_byte=True)["cat"] == (9 + 8) * 3
    assert seeds(words, counts, ["\0a", "\0a", "\0"], by_byte=True)["cat"] == 9 * 3
    assert seeds(words, counts, ["\0a", "\0", "\0b"], by_byte=True)["cat"] == (9 + 8) * 3
    assert seeds(words[:2], counts[:2], ["\0a", "\0b"], by_byte=True)["at"] == 8 * 2
    assert seeds(words[:2], counts[:2], ["\0a", "\0a"], by_byte=True) == {}


def test_validity():
    def classes(points):
        table = {"▁": SPACE, "1": 0, "中": 2, "か": 2, "\u0301": INHERITED, "9": ALONE, "\t": -1}
        return np.array([table.get(chr(point), 1) for point in points.tolist()])

    valid = Validity(classes)
    for piece in ("▁ab", "a1中", "中か", "a\u0301b", "9", "▁", "1", "▁中"):
        assert valid(piece), piece
    for piece in ("a▁", "a中", "中\u0301a", "a9", "a\tb", "▁▁", "a" * 17):
        assert not valid(piece), piece
    assert Validity(classes, "last")("ab▁")
    assert not Validity(classes, "last")("▁ab")
    assert Validity(classes, "not_last")("a▁b")
    assert not Validity(classes, "not_last")("a▁")
    assert Validity(classes, "not_first")("a▁")
    assert Validity(classes, only_spaces=True)("▁▁▁")


# -- expectation, maximization, loss ----------------------------------------------------------

SCORES = {"a": -1.0, "b": -1.5, "ab": -1.2, "ba": -2.0, "aba": -2.5}


def segmentations(word, scores):
    """Every way to write a word, and its probability."""
    for cuts in itertools.product([0, 1], repeat=len(word) - 1):
        edges = [0, *(k + 1 for k, cut in enumerate(cuts) if cut), len(word)]
        parts = [word[i:j] for i, j in itertools.pairwise(edges)]
        if all(part in scores for part in parts):
            yield parts, math.exp(sum(scores[part] for part in parts))


def test_expected_counts_by_brute_force():
    words, counts = ["abab", "aba", "b"], [3, 2, 5]
    expected, objective = expect(words, counts, SCORES)
    wanted, total = Counter(), 0.0
    for word, count in zip(words, counts):
        ways = list(segmentations(word, SCORES))
        z = sum(p for _, p in ways)
        total -= count * math.log(z)
        for parts, p in ways:
            for part in parts:
                wanted[part] += count * p / z
    assert objective == pytest.approx(total / 10)
    assert expected == pytest.approx(wanted)
    cut = sum(len(part) * n for part, n in expected.items())
    assert cut == pytest.approx(sum(len(word) * count for word, count in zip(words, counts)))


def test_maximization():
    assert digamma(1.0) == pytest.approx(-0.5772156649015329, abs=1e-9)
    assert digamma(10.5) == pytest.approx(2.3030010343, abs=1e-9)
    scores = maximize({"a": 9.0, "b": 0.4, "c": 1.0}, ["a", "b", "c"])
    assert scores == {"a": digamma(9.0) - digamma(10.0), "c": digamma(1.0) - digamma(10.0)}


def test_expectation_and_maximization_lower_the_objective():
    words, counts, _ = words_of(GOLDEN["corpus"])
    pieces = {*"".join(words), "he", "at", "the", "ran"}
    scores = {piece: -math.log(len(pieces)) for piece in pieces}
    before = math.inf
    for _ in range(4):
        expected, objective = expect(words, counts, scores)
        assert objective < before
        total = sum(expected.values())
        scores = {p: math.log(n / total) for p, n in expected.items()}  # the plain M step
        before = objective


def test_loss_of_a_piece():
    assert alternative("ab", SCORES) == (["a", "b"], False)
    assert alternative("aba", SCORES) == (None, True)  # ab a is better
    assert alternative("a", SCORES) == (None, False)
    used = Counter({"a": 4, "b": 3, "ab": 2, "ba": 1})
    before = 2 * math.log(2 / 10)
    after = 2 * (math.log(6 / 12) + math.log(5 / 12))  # "a b" for "ab", twice
    assert loss_without("ab", ["a", "b"], used, 5) == pytest.approx((before - after) / 5)
    assert rounded_loss("ab", ["a", "b"], used) == pytest.approx((before - after) / 10)
    assert single(rounded_loss("ab", ["a", "b"], used)) == rounded_loss("ab", ["a", "b"], used)


def test_unknown_characters_have_an_edge():
    lattice = lattice_of("axb", SCORES)
    assert lattice.starting[1] == [(1, 2, "<UNK>", -12.5)]


# -- the trainer ------------------------------------------------------------------------------


def test_trained_tokenizer():
    tok = Tokenizer.train(GOLDEN["corpus"], "unigram", 120, ["<|endoftext|>"])
    assert tok.vocab_size == 120
    assert tok.special_tokens == {"<unk>": 0, "<|endoftext|>": 1}
    for text in GOLDEN["corpus"]:
        assert tok.decode(tok.encode(text)) == text
    assert "".join(tok.tokens("the cat ran")) == "▁the▁cat▁ran"
    assert tok.encode("the Ж")[-1] == 0
    assert tok.encode_with_offsets("Ж")[1] == [(0, 1), (0, 1)]


def test_other_words():
    tok = Tokenizer.train(GOLDEN["corpus"], "unigram", 150, pattern="gpt2", unk_token=None)
    assert tok.decode(tok.encode(" the  cat")) == " the  cat"
    with pytest.raises(ValueError, match="'Ж'"):
        tok.encode("Ж")
    with pytest.raises(ValueError, match="vocab_size=20"):
        Tokenizer.train(GOLDEN["corpus"], "unigram", 20)
