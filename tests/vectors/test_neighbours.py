"""Cosines, neighbours, analogies and the picture in the plane."""

import json
from pathlib import Path

import numpy as np
import pytest

from minillm.vectors import WordVectors, analogy, cosine, nearest, principal_components, unit

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "vectors.json").read_text())


def test_cosine_by_hand():
    assert cosine([1.0, 0.0], [[1.0, 1.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]]) == pytest.approx(
        [np.sqrt(0.5), 0, -1, 0])
    assert cosine([3, 4], [4, 3]) == pytest.approx(24 / 25)
    assert cosine(np.ones((2, 5)), np.ones((3, 5))).shape == (2, 3)


def test_unit_keeps_zeros_and_does_not_overflow():
    x = unit(np.array([[3e30, 4e30], [0, 0], [3e-30, 4e-30]], np.float32))
    np.testing.assert_allclose(x, [[0.6, 0.8], [0, 0], [0.6, 0.8]], rtol=1e-6)
    assert x.dtype == np.float32
    assert unit(np.zeros((3, 0))).shape == (3, 0)


def test_nearest_is_what_sorting_all_finds():
    x = np.random.default_rng(0).normal(size=(40, 6))
    rows, cosines = nearest(x, x[7], 5, without=[7, 3])
    by_hand = [float(a @ x[7] / np.linalg.norm(a) / np.linalg.norm(x[7])) for a in x]
    order = [i for i in sorted(range(40), key=lambda i: -by_hand[i]) if i not in (7, 3)]
    assert rows.tolist() == order[:5]
    np.testing.assert_allclose(cosines, np.array(by_hand)[order[:5]])
    assert len(nearest(x, x[0], 100)[0]) == 40


def test_of_equal_ones_the_first():
    rows, _ = nearest(np.ones((5, 2)), np.ones(2), 3, without=[1])
    assert rows.tolist() == [0, 2, 3]


def test_analogy():
    """King is to man as queen is to woman, where two numbers mean royal and female."""
    words = WordVectors(["man", "woman", "king", "queen", "table"],
                        [[1, 0, 0.1], [1, 1, 0.1], [1, 0, 1], [1, 1, 1], [0, 0, -1]])
    assert words.analogy("man", "king", "woman")[0][0] == "queen"
    assert analogy(words.vectors, 0, 2, 1)[0].tolist() == [3]
    # b itself is the nearest to b - a + c, as it often is; it is no answer
    assert analogy([[1, 0], [0.9, 0.1], [0, 1], [0.3, 1]], 0, 2, 1)[0].tolist() == [3]
    assert words.nearest("king", 1)[0][0] == "queen"
    assert words.similarity("king", "king") == pytest.approx(1)
    assert "king" in words
    assert "kings" not in words
    assert np.array_equal(words["man"], [1, 0, 0.1])


def test_principal_components_equal_to_scikit_learn():
    found = principal_components(GOLDEN["points"], 3)
    np.testing.assert_allclose(found.points, GOLDEN["projected"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.directions, GOLDEN["directions"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.share, GOLDEN["share"], rtol=1e-12)
    np.testing.assert_allclose(found.project(GOLDEN["points"]), found.points, atol=1e-12)


def test_the_picture_does_not_turn():
    """Its sign does not depend on the order of rows, nor on the reflection that SVD chose."""
    x = np.random.default_rng(1).normal(size=(20, 4))
    order = np.random.default_rng(2).permutation(20)
    np.testing.assert_allclose(principal_components(x[order]).points,
                               principal_components(x).points[order], atol=1e-12)
    assert (principal_components(x).directions.max(axis=1)
            == np.abs(principal_components(x).directions).max(axis=1)).all()


def test_points_that_are_all_one():
    found = principal_components(np.ones((3, 2)))
    assert not found.points.any()
    assert not found.share.any()


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: cosine(np.ones(3), np.ones(4)), ValueError, "expected rows of one width"),
    (lambda: cosine(1.0, 2.0), ValueError, r"a has shape \(\)"),
    (lambda: nearest(np.ones((3, 2)), np.ones(2), 0), ValueError, "count=0"),
    (lambda: nearest(np.ones((3, 2)), np.ones((1, 2))), ValueError, r"query has shape \(1, 2\)"),
    (lambda: analogy(np.eye(4), 0, 1, 4), ValueError, r"c=4: expected a row in \[0, 4\)"),
    (lambda: principal_components(np.ones((1, 3))), ValueError, r"x has shape \(1, 3\)"),
    (lambda: principal_components(np.ones((3, 3)), 4), ValueError, "count=4"),
    (lambda: principal_components([[0.0, np.nan], [1, 1]]), ValueError, "NaN"),
    (lambda: WordVectors(["a"], np.ones((2, 2))), ValueError, "expected a row for each of the 1"),
    (lambda: WordVectors(["a", "a"], np.ones((2, 2))), ValueError, "words holds 'a' twice"),
    (lambda: WordVectors(["a"], [[1]])["b"], KeyError, "word='b' has no vector"),
])
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
