"""The unigram model: the specification's vectors, and brute force over all segmentations."""

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.unigram.lattice import (
    Edge,
    Lattice,
    backward,
    best_path,
    distorted_forward,
    forward,
    marginals,
    n_best,
    sample,
    sample_huggingface,
    sample_n_best,
)
from minillm.tokenizers.unigram.most_probable import Unigram

PIECES = {"<unk>": 0.0, "a": -1, "b": -1, "ab": -2, "bc": -3, "c": -2, "abc": -4}
BYTES = {"<0xE4>": -5, "<0xB8>": -5, "<0xAD>": -5}


def unigram(pieces, **options):
    return Unigram(
        [piece.encode() for piece in pieces], list(pieces.values()), unk_id=0, **options
    )


def test_vectors_of_hugging_face():
    tok = Tokenizer(unigram(PIECES))
    assert tok.encode_with_offsets("abc") == ([6], [(0, 3)])  # as good as a, b, c
    assert tok.encode_with_offsets("xyab") == ([0, 3], [(0, 2), (2, 4)])
    tok = Tokenizer(unigram(PIECES | BYTES, byte_fallback=True))
    assert tok.encode_with_offsets("a中b") == ([1, 7, 8, 9, 2], [(0, 1)] + 3 * [(1, 2)] + [(2, 3)])
    assert tok.encode("中文a") == [0, 1]
    assert tok.encode("x<unk>") == [0]


def test_vectors_of_sentencepiece():
    pieces = {"<unk>": 0, "<s>": 0, "</s>": 0, "▁": -1, "a": -1, "b": -1, "ab": -2, "c": -2,
              "bc": -3, "abc": -4, "▁a": -2.5, "USR": 0}
    types = [2, 3, 3] + 8 * [1] + [4]
    model = unigram(pieces, types=types, variant="sentencepiece")
    tok = Tokenizer(model)
    assert tok.encode("▁a▁b") == [3, 4, 3, 5]
    assert tok.encode("▁xyab") == [3, 0, 6]
    assert tok.encode("▁aUSRb") == [3, 4, 11, 5]
    assert [ids for ids, _ in model.n_best("▁ab".encode(), 3)] == [[3, 6], [3, 4, 5], [10, 5]]
    types[6] = 5
    tok = Tokenizer(unigram(pieces, types=types, variant="sentencepiece"))
    assert tok.encode("▁ab") == [3, 4, 5]


def test_float32_is_summed_over_the_whole_line():
    """Where the sum is large, small differences vanish and the earlier edge stays."""
    pieces = {"<unk>": 0, "a": -1, "ab": -2.00001, "b": -1, "z": -5000}
    exact = Tokenizer(unigram(pieces))
    rough = Tokenizer(unigram(pieces, variant="sentencepiece"))
    assert exact.encode("ab") == rough.encode("ab") == [1, 3]
    assert exact.encode("zzzab")[3:] == [1, 3]
    assert rough.encode("zzzab")[3:] == [2]


@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_sums_below_100_000_are_set_back(name):
    """As sentencepiece 0.2.3 does, so that very long lines lose no more precision."""
    if name == "numba":
        pytest.importorskip("numba")
    pieces = {"<unk>": 0, "a": -1, "b": -1, "ab": -2.00001, "z": -16}
    tok = Tokenizer(unigram(pieces, variant="sentencepiece"))
    with backend(name):
        ends = [tok.encode("z" * n + "ab")[-1] for n in (15, 16, 6250, 6251, 6266, 6267)]
    assert ends == [2, 3, 3, 2, 2, 3]  # the library's


def test_wrong_arguments():
    with pytest.raises(ValueError, match="variant='spm'"):
        unigram(PIECES, variant="spm")
    with pytest.raises(ValueError, match="finite"):
        unigram(PIECES | {"d": math.nan})
    with pytest.raises(ValueError, match="unk_id=9"):
        Unigram([b"a"], [0.0], unk_id=9)
    with pytest.raises(ValueError, match="'x' at byte 1"):
        Tokenizer(Unigram([b"a"], [0.0])).encode("ax")


def random_lattice(rng, length):
    edges = [Edge(i, i + 1, i, -rng.uniform(1, 4)) for i in range(length)]
    for i, j in itertools.combinations(range(length + 1), 2):
        if j > i + 1 and rng.random() < 0.5:
            edges.append(Edge(i, j, 99 + i + 10 * j, -rng.uniform(1, 6)))
    return Lattice(length, edges)


def all_paths(lattice, start=0):
    if start == lattice.length:
        return [[]]
    return [
        [edge, *rest] for edge in lattice.starting[start] for rest in all_paths(lattice, edge.end)
    ]


def score(path):
    return sum(edge.score for edge in path)


@pytest.mark.parametrize("seed", range(20))
def test_brute_force(seed):
    rng = random.Random(seed)
    lattice = random_lattice(rng, rng.randint(1, 7))
    paths = sorted(all_paths(lattice), key=score, reverse=True)
    total = math.log(sum(math.exp(score(path)) for path in paths))
    assert best_path(lattice) == paths[0]
    assert forward(lattice)[-1] == pytest.approx(total)
    assert backward(lattice)[0] == pytest.approx(total)
    found = n_best(lattice, 10)
    assert [path for path, _ in found] == paths[:10]
    np.testing.assert_allclose([s for _, s in found], [score(path) for path in paths[:10]])
    used, log_p = marginals(lattice)
    assert log_p == pytest.approx(total)
    for edge, probability in used.items():
        share = sum(math.exp(score(path) - total) for path in paths if edge in path)
        assert probability == pytest.approx(share)


def frequencies(draw, n=20_000):
    rng = random.Random(0)
    counts = Counter(tuple(edge[:2] for edge in draw(rng)) for _ in range(n))
    return {path: count / n for path, count in counts.items()}


def test_sampling():
    pieces = {"<unk>": -9, "a": -1, "aa": -1.2, "aaa": -1.3}
    lattice, theta = unigram(pieces).lattice(b"aaa"), 0.5
    paths = all_paths(lattice)
    weights = [math.exp(theta * score(path)) for path in paths]
    drawn = frequencies(lambda rng: sample(lattice, theta, rng))
    for path, weight in zip(paths, weights):
        assert drawn[tuple(e[:2] for e in path)] == pytest.approx(weight / sum(weights), abs=0.012)
    assert drawn[(0, 3),] == pytest.approx(0.370, abs=0.012)
    drawn = frequencies(lambda rng: sample_huggingface(lattice, theta, rng))
    alpha = distorted_forward(lattice, theta)
    last = [math.exp(alpha[e.start] + theta * e.score) for e in lattice.ending[3]]
    expected = last[0] / sum(last)
    assert expected == pytest.approx(0.354, abs=0.001)
    assert drawn[(0, 3),] == pytest.approx(expected, abs=0.012)
    best = sorted(weights)[-2:]
    drawn = frequencies(lambda rng: sample_n_best(lattice, 2, theta, rng))
    assert len(drawn) == 2
    assert drawn[(0, 3),] == pytest.approx(best[1] / sum(best), abs=0.012)


def test_sampled_ids():
    model = unigram(PIECES)
    rng = random.Random(1)
    seen = {tuple(model.sample(b"abcx", 0.3, rng=rng)) for _ in range(300)}
    assert seen == {(1, 2, 5, 0), (3, 5, 0), (1, 4, 0), (6, 0)}
    assert model.sample(b"abc", 0.3, nbest=1) == [6]
