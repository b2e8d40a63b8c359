"""Padding and caches: rows of unequal length in one batch, and what does not fit is refused."""

import copy

import numpy as np
import pytest

from minillm import backend
from minillm.data import DataLoader, TokenDataset
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Trainer, evaluate

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


PACKED = [{}, {"positions": "rotary", "norm": "rms", "feed_forward": "swiglu"},
          {"positions": "alibi", "window": 3}, {"kv_heads": 1, "norm_first": False}]


@pytest.mark.parametrize("options", PACKED)
@pytest.mark.parametrize("which", ["numpy", "numba"])
def test_documents_of_a_row_do_not_see_one_another(options, which):
    """Three documents in one row, two and padding in the other: the logits of each alone."""
    model = GPT(GPTConfig(11, 12, 2, 2, 8, **options), dtype=np.float64)
    model.weights[:] = np.random.default_rng(5).normal(0, 0.5, model.weights.size)
    ids = np.random.default_rng(6).integers(0, 11, (2, 12))
    documents = np.array([[1] * 5 + [2] * 4 + [3] * 3, [1] * 2 + [2] * 7 + [0] * 3])
    with backend(which):
        packed = model.forward(ids, documents).copy()
        for row, spans in enumerate(([(0, 5), (5, 9), (9, 12)], [(0, 2), (2, 9)])):
            for i, j in spans:
                alone = model.forward(ids[row:row + 1, i:j])
                np.testing.assert_allclose(packed[row, i:j], alone[0], atol=1e-12)


def test_gradients_of_packed_documents_add_up():
    """The gradient of a packed row is the sum of its documents', each by its labels."""
    model = GPT(GPTConfig(11, 12, 2, 2, 8), dtype=np.float64)
    ids = np.random.default_rng(6).integers(0, 11, (1, 9))
    targets = np.random.default_rng(7).integers(0, 11, (1, 9))
    model.loss(ids, np.array([[1] * 5 + [2] * 4]), targets)
    model.backward()
    packed, model.grads[:] = model.grads.copy(), 0
    for i, j in ((0, 5), (5, 9)):
        model.loss(ids[:, i:j], targets[:, i:j])
        model.backward((j - i) / 9)
    np.testing.assert_allclose(model.grads, packed, atol=1e-14)


@pytest.mark.parametrize("numbers", [[1, 3, 3, 0], [2, 1, 1, 0], [1, 0, 2, 2], [1, -1, 2, 2],
                                     [0, 1, 2, 2]])
def test_documents_out_of_order_are_refused(numbers):
    model = GPT(GPTConfig(11, 12, 1, 2, 8))
    with pytest.raises(ValueError, match="row 0 has document"):
        model.forward(np.zeros((1, 4), int), np.array([numbers]))


def test_a_loader_of_documents_trains_a_model():
    """Packed with document numbers, the loss is that of one document per row."""
    texts = np.random.default_rng(1).integers(1, 11, 200)
    texts[::7] = 0
    data = TokenDataset.from_ids(texts, 11, 0)
    model = GPT(GPTConfig(11, 20, 1, 2, 8), dtype=np.float64)
    options = {"shuffle": False, "drop_last": False}
    packed = evaluate(model, DataLoader(data, 4, 20, windows="packed", documents=True, **options))
    apart = evaluate(model, DataLoader(data, 4, 20, windows="documents", **options))
    assert packed.labels == apart.labels == 200
    assert packed.loss == pytest.approx(apart.loss, abs=1e-12)
    blind = evaluate(model, DataLoader(data, 4, 20, windows="packed", **options))
    assert blind.loss != pytest.approx(apart.loss, abs=1e-6)
    trainer = Trainer(model, AdamW(model), progress=False,
                      loader=DataLoader(data, 4, 20, windows="packed", documents=True))
    assert len(trainer.fit(3)) == 3
