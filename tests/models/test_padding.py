"""Padding and caches: rows of unequal length in one batch, and what does not fit is refused."""

import copy

import numpy as np
import pytest

from minillm import backend
from minillm.models import GPT, GPTConfig

SMALL = GPTConfig(vocab_size=50, context=12, layers=2, heads=2, width=16)


@pytest.fixture
def model():
    model = GPT(SMALL, seed=3)
    model.weights *= 5
    return model


ROW = [4, 9, 1, 17]


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_padding_anywhere_changes_nothing(name, norm_first):
    """Left, right or both: a row's logits are those of the row alone, as extend gives them."""
    sizes = vars(SMALL) | {"norm_first": norm_first}
    model = GPT(GPTConfig(**sizes), seed=3, dtype=np.float64)
    model.weights *= 8
    with backend(name):
        alone = model.forward([ROW])[0].copy()
        for left in range(5):
            for right in range(5):
                ids = [[7] * left + ROW + [8] * right, [30] * (left + 4 + right)]
                mask = [[0] * left + [1] * 4 + [0] * right, [1] * (left + 4 + right)]
                found = model.forward(ids, mask)[:, left:left + 4].copy()
                np.testing.assert_allclose(found[0], alone, atol=1e-10)
                if right == 0:
                    last = model.extend(ids, model.new_cache(2), np.array([left, 0]))
                    np.testing.assert_allclose(last[0], alone[-1], atol=1e-10)


@pytest.mark.parametrize("norm_first", [True, False])
def test_gradients_of_a_padded_batch(norm_first):
    """By finite differences, and equal to the sum of those of the rows alone."""
    model = GPT(GPTConfig(**(vars(SMALL) | {"norm_first": norm_first})), dtype=np.float64)
    rng = np.random.default_rng(0)
    model.weights[:] = rng.normal(0, 0.3, model.weights.size)
    ids, targets = rng.integers(0, 50, (2, 4, 9))
    mask = np.arange(9) >= np.array([0, 3, 8, 2])[:, None]
    mask[3, 7:] = False
    targets[~mask] = -100
    for name in ("numpy", "numba"):
        with backend(name):
            model.grads[:] = 0
            model.loss(ids, targets, mask=mask)
            model.backward()
            grads, at = model.grads.copy(), model.weights.copy()
            for _ in range(5):
                along = rng.normal(size=at.size)
                sides = []
                for sign in (1, -1):
                    model.weights[:] = at + sign * 1e-5 * along
                    sides.append(model.loss(ids, targets, mask=mask))
                model.weights[:] = at
                assert (sides[0] - sides[1]) / 2e-5 == pytest.approx(grads @ along, rel=1e-6)
            model.grads[:] = 0
            for row, labels, real in zip(ids, targets, mask, strict=True):
                model.loss(row[real][None], labels[real][None])
                model.backward(real.sum() / mask.sum())
            np.testing.assert_allclose(model.grads, grads, atol=1e-10)


def test_a_row_of_padding_alone_harms_nobody(model):
    logits = model.forward([ROW, ROW], [[1] * 4, [0] * 4])
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(logits[0], model.replica().forward([ROW])[0], atol=1e-5)


@pytest.mark.parametrize(("mask", "message"), [
    ([1, 1, 1, 1], r"mask has shape \(4,\), but ids \(1, 4\)"),
    ([[1, 1, 1]], r"mask has shape \(1, 3\)"), ([[[1, 1, 1, 1]]], r"shape \(1, 1, 4\)"),
    ([[1.0, 1, 1, 1]], "mask has dtype float64"), ([[1, 1, 2, 0]], "True"),
    ([[0, 0, 0, -1]], "True"), ([["a", "b", "c", "d"]], "mask has dtype <U1"),
    ([[1, 0, 1, 1]], "mask row 0 has a hole"), ([[0, 1, 0, 1]], "mask row 0 has a hole"),
])
def test_wrong_masks(model, mask, message):
    with pytest.raises(ValueError, match=message):
        model.forward([ROW], mask)
    with pytest.raises(ValueError, match=message):
        model.loss([ROW], [ROW], mask=mask)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_caches_and_starts_must_fit(model, name):
    other = GPT(GPTConfig(50, 12, 1, 2, 16))
    narrow = GPT(GPTConfig(50, 12, 2, 4, 16))
    with backend(name):
        for cache in (model.new_cache(2), other.new_cache(1), narrow.new_cache(1), []):
            for ids in ([[1]], [[1, 2]]):
                with pytest.raises(ValueError, match=r"new_cache\(1\)"):
                    model.extend(ids, cache)
        for start in ([1], [-1], [0, 0], [0.5], 0):
            with pytest.raises(ValueError, match="start="):
                model.extend([[1]], model.new_cache(1), start)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_a_copied_cache_goes_on_by_itself(model, name):
    with backend(name):
        cache = model.new_cache(1)
        model.extend([ROW], cache)
        second = copy.deepcopy(cache)
        first = model.extend([[5]], cache).copy()
        model.extend([[6]], cache)
        np.testing.assert_allclose(model.extend([[5]], second), first, atol=1e-5)
