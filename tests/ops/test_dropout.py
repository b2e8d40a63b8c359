"""Which numbers are dropped: as many as asked, scattered, and the same in every part of a batch."""

import numpy as np
import pytest

from minillm import backend, ops
from minillm.ops.dropping import mix, random_bits


@pytest.fixture(params=["numpy", "numba"])
def either(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    with backend(request.param):
        yield request.param


def test_mix_is_that_of_murmurhash3():
    found = mix(np.array([0, 1, 2, 0xFFFFFFFF], np.uint32))
    assert found.tolist() == [0, 0x514E28B7, 0x30F4C306, 0x81F16F39]


def test_each_number_is_kept_and_scaled_or_dropped(either):
    x = np.random.default_rng(0).normal(size=(4, 50, 60))
    y = ops.dropout(x, ops.Drop(0.25, 5))
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / 0.75)
    assert abs(kept.mean() - 0.75) < 4 * (0.25 * 0.75 / x.size) ** 0.5


def test_a_part_drops_what_the_whole_drops(either):
    x = np.random.default_rng(0).normal(size=(6, 5, 7))
    whole = ops.dropout(x, ops.Drop(0.5, 3, row=10))
    np.testing.assert_array_equal(ops.dropout(x[2:], ops.Drop(0.5, 3, row=12)), whole[2:])
    assert not np.array_equal(ops.dropout(x[2:], ops.Drop(0.5, 3, row=10)), whole[2:])


def test_along_no_axis_is_there_more_or_less():
    """How many are dropped along each line varies as independent draws do."""
    shape = (24, 6, 64, 64)
    dropped = random_bits(ops.Drop(0.1, 11), shape) < ops.Drop(0.1, 11).least
    for axis, n in enumerate(shape):
        lines = dropped.sum(axis=axis)
        assert lines.var() / (n * 0.1 * 0.9) == pytest.approx(1, abs=6 / lines.size**0.5)
        later = np.roll(dropped, 1, axis=axis)
        assert np.corrcoef(dropped.ravel(), later.ravel())[0, 1] == pytest.approx(0, abs=0.01)
    other = random_bits(ops.Drop(0.1, 12), shape) < ops.Drop(0.1, 12).least
    assert np.corrcoef(dropped.ravel(), other.ravel())[0, 1] == pytest.approx(0, abs=0.01)


def test_the_gradient_drops_the_same(either):
    x = np.random.default_rng(0).normal(size=(2, 3, 5))
    drop = ops.Drop(0.5, 1)
    np.testing.assert_array_equal(ops.dropout(np.ones_like(x), drop) * x, ops.dropout(x, drop))


@pytest.mark.parametrize("rate", [1, 1.5, -0.1, float("nan")])
def test_refused(either, rate):
    with pytest.raises(ValueError, match=r"drop\.rate=.*at least 0"):
        ops.dropout(np.ones((2, 3)), ops.Drop(rate, 1))
    with pytest.raises(ValueError, match=r"drop\.rate="):
        ops.attention(*[np.ones((1, 1, 2, 3))] * 3, drop=ops.Drop(rate, 1))


def test_nearly_all_may_be_dropped(either):
    assert not ops.dropout(np.ones((2, 3)), ops.Drop(1 - 1e-12, 1)).any()
