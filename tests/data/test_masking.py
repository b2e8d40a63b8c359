"""Which tokens are hidden, and how: exact counts, never a special one, the same from a seed."""

import numpy as np
import pytest

from minillm.data import IGNORE_INDEX, DataLoader, MaskedLoader, TokenDataset, mask_tokens

MASK, CLS, SEP, PAD, V = 3, 1, 2, 0, 50


def rows(B=40, T=42):
    ids = np.random.default_rng(0).integers(4, V, (B, T))
    ids[:, 0], ids[:, -1] = CLS, SEP
    return ids


def test_exact_counts():
    """15 % of 40 ordinary tokens in each of 40 rows, 240; of these 192, 24 and 24."""
    ids = rows()
    inputs, labels = mask_tokens(ids, MASK, V, [CLS, SEP, PAD])
    chosen = labels != IGNORE_INDEX
    assert (chosen.sum(axis=1) == 6).all()
    assert np.array_equal(labels[chosen], ids[chosen])
    assert np.array_equal(inputs[~chosen], ids[~chosen])
    hidden = inputs == MASK
    assert hidden.sum() == 192
    assert chosen[hidden].all()
    changed = chosen & ~hidden & (inputs != ids)
    assert 20 <= changed.sum() <= 24  # a random token may be the one that stood there
    assert not np.isin(inputs[changed], [MASK, CLS, SEP, PAD]).any()


def test_no_token_becomes_a_special_one_by_chance():
    special = list(range(0, 30))
    for seed in range(20):
        ids = np.where(rows() < 30, 31, rows())
        inputs, _ = mask_tokens(ids, MASK, V, special, 0.5, seed)
        assert not np.isin(inputs[inputs != MASK], special).any()
        assert (inputs != ids)[inputs != MASK].any()


def test_every_place_has_its_turn_and_all_three_fates():
    seen = np.zeros((3, *rows().shape), int)
    ids = rows()
    for seed in range(60):
        inputs, labels = mask_tokens(ids, MASK, V, [CLS, SEP, PAD], seed=seed)
        chosen = labels != IGNORE_INDEX
        seen[0] += chosen & (inputs == MASK)
        seen[1] += chosen & (inputs != MASK) & (inputs != ids)
        seen[2] += chosen & (inputs == ids)
    shares = seen.sum((1, 2)) / seen.sum()
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.01)
    assert not seen[..., [0, -1]].any()
    per_place = seen.sum((0, 1))[1:-1] / (60 * 40)
    np.testing.assert_allclose(per_place, 0.15, atol=0.04)


def test_the_seed_decides():
    found = [mask_tokens(rows(), MASK, V, seed=seed) for seed in (1, 1, 2, [1, 1])]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0][1], found[2][1])
    assert not np.array_equal(found[0][1], found[3][1])


@pytest.mark.parametrize(("possible", "share", "expected"), [
    (0, 0.15, 0), (1, 0.15, 1), (3, 0.15, 1), (10, 0.15, 2), (16, 0.15, 2), (20, 0.15, 3),
    (5, 1.0, 5),
])
def test_rounding(possible, share, expected):
    ids = np.array([[CLS] + [7] * possible + [PAD] * 3])
    _, labels = mask_tokens(ids, MASK, V, [CLS, PAD], share)
    assert (labels != IGNORE_INDEX).sum() == expected


def test_padding_is_never_chosen():
    mask = np.arange(42) < np.arange(1, 41)[:, None]
    inputs, labels = mask_tokens(rows(), MASK, V, [CLS, SEP], 0.5, 1, mask)
    assert (labels[~mask] == IGNORE_INDEX).all()
    assert np.array_equal(inputs[~mask], rows()[~mask])


@pytest.mark.parametrize(("arguments", "message"), [
    ((rows(), MASK, V, [CLS], 0), "share=0"), ((rows(), MASK, V, [CLS], 1.5), "share=1.5"),
    ((rows(), MASK, 0), "vocab_size=0"), ((rows(), 50, V), "mask_token holds 50"),
    ((rows(), MASK, V, [-1]), "special and mask_token holds -1"),
    ((rows(), MASK, 40), "ids holds 4"), ((rows()[0], MASK, V), r"ids has shape \(42,\)"),
    ((rows() / 2, MASK, V), "dtype float64"), ((rows() % 4, MASK, 4, [0, 1, 2]), "special="),
    ((rows(), MASK, V, [], 0.15, 0, [[True]]), r"mask has shape \(1, 1\)"),
])
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mask_tokens(*arguments)


def loader(seed=0):
    ids = np.random.default_rng(1).integers(4, V, 400)
    return MaskedLoader(DataLoader(TokenDataset.from_ids(ids, vocab_size=V), 4, 10, seed=5), MASK,
                        V, [PAD], seed=seed)


def test_a_loader_hides_other_tokens_each_time_and_goes_on_where_it_stopped():
    whole = loader()
    epochs = [list(whole) for _ in range(2)]
    assert len(epochs[0]) == len(whole) > 3
    assert not np.array_equal(epochs[0][0][1] == -100, epochs[0][1][1] == -100)
    plain = DataLoader(whole.loader.dataset, 4, 10, seed=5)
    for (inputs, labels), (ids, _) in zip(epochs[0], plain, strict=True):
        assert np.array_equal(np.where(labels == -100, inputs, labels), ids)
    first = loader()
    batches = iter(first)
    next(batches), next(batches)
    second = loader()
    second.resume(first.state())
    for found, expected in zip(second, epochs[0][2:], strict=True):
        assert np.array_equal(found, expected)
    for found, expected in zip(second, epochs[1], strict=True):
        assert np.array_equal(found, expected)
    with pytest.raises(ValueError, match="belongs to another loader"):
        loader(seed=1).resume(first.state())
    with pytest.raises(TypeError, match="state=3"):
        second.resume(3)
    with pytest.raises(ValueError, match="seed=-1"):
        loader(seed=-1)
