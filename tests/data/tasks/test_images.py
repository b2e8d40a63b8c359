"""Drawn shapes and real digits: labels, balance, splits, baselines."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from minillm.data.tasks import images

FOLDER = Path(images.__file__).parent


def nearest(train, labels, test, answers):
    """The share of ``test`` whose nearest image of ``train`` has the right label."""
    a, b = train.reshape(len(train), -1), test.reshape(len(test), -1)
    distance = (a * a).sum(1) - 2 * b @ a.T
    return float((labels[distance.argmin(1)] == answers).mean())


def test_shapes_are_arrays_with_balanced_labels():
    pictures, labels = images.shapes(601, seed=1)
    assert pictures.shape == (601, 16, 16)
    assert pictures.dtype == np.float32
    counts = np.bincount(labels, minlength=len(images.SHAPES))
    assert counts.max() - counts.min() == 1
    assert len(set(labels[:20])) > 3  # shuffled


def test_same_seed_same_shapes():
    (a, la), (b, lb), (c, _) = (images.shapes(50, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(la, lb)
    assert not np.array_equal(a, c)


def test_sets_of_shapes_share_no_drawing():
    train = {p.tobytes() for p in images.shapes(6000, seed=1, noise=0)[0]}
    held = {p.tobytes() for p in images.shapes(3000, seed=1, held=True, noise=0)[0]}
    assert not train & held
    assert len(held) > 250


def test_shapes_lie_inside_and_are_drawn_right():
    pictures, labels = images.shapes(600, seed=2, size=32, noise=0)
    edge = np.concatenate([pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]])
    assert edge.max() <= 0.5
    for picture, label in zip(pictures, labels):
        rows, columns = np.nonzero(picture > 0.5)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        fill = (picture > 0.5).sum() / (height * width)
        name = images.SHAPES[label]
        low, high = {"circle": (0.68, 0.92), "square": (1, 1), "triangle": (0.4, 0.68),
                     "cross": (0.3, 0.6), "ring": (0.25, 0.66), "diamond": (0.45, 0.68)}[name]
        assert low <= fill <= high, (name, fill)
        middle = picture[(rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2]
        assert (middle < 0.5) == (name == "ring")


def test_shapes_are_not_given_away_by_nearest_neighbour():
    train, held = images.shapes(3000, seed=1), images.shapes(600, seed=2, held=True)
    assert 0.5 < nearest(*train, *held) < 0.9


@pytest.mark.parametrize(("arguments", "word"), [
    ({"n": -1}, "n is -1"), ({"n": 3, "size": 8}, "size is 8"), ({"n": 3, "noise": -1}, "noise"),
    ({"n": 3, "noise": float("nan")}, "noise"),
])
def test_shapes_refuse(arguments, word):
    with pytest.raises(ValueError, match=word):
        images.shapes(**arguments)


def test_no_shapes():
    pictures, labels = images.shapes(0)
    assert pictures.shape == (0, 16, 16)
    assert labels.shape == (0,)


def test_digits_are_the_published_ones():
    (train, labels), (test, answers) = images.digits()
    assert train.shape == (1437, 8, 8)
    assert test.shape == (360, 8, 8)
    assert train.dtype == np.float32
    assert labels[:20].tolist() == list(range(10)) * 2
    assert np.bincount(answers).min() == 33
    table = np.concatenate([
        np.concatenate([train, test]).reshape(1797, 64) * 16, np.r_[labels, answers][:, None]
    ], axis=1).astype(np.uint8)
    assert hashlib.sha256(table.tobytes()).hexdigest() == (  # of scikit-learn's digits.csv
        "68aea062d35a127749050fa0e52dca09d6569ac08092c925610e0954e172dde2")


def test_digits_by_nearest_neighbour():
    assert round(nearest(*images.digits()[0], *images.digits()[1]), 3) == 0.956
    train, test = images.digits(mixed=True)
    assert round(nearest(*train, *test), 3) == 0.989
    both = {p.tobytes() for p in train[0]} & {p.tobytes() for p in test[0]}
    assert not both


def test_digits_are_small_and_come_with_their_license():
    assert (FOLDER / "digits.npz").stat().st_size < 100_000
    text = (FOLDER / "digits_license.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "Alpaydin" in text
