"""The options of attention against a plain loop over queries and keys."""

import numpy as np
import pytest

from minillm import backend, ops
from minillm.nn import Alibi, Attention, Init

BACKENDS = ["numpy", "numba"]
SHAPES = [(1, 1), (5, 5), (3, 9), (70, 140), (9, 4), (1, 200), (130, 130)]


@pytest.fixture(params=BACKENDS)
def either(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    with backend(request.param):
        yield request.param


def arrays(T, S, heads=2, kv_heads=2):
    rng = np.random.default_rng(T + S)
    q, dy = rng.normal(size=(2, 2, heads, T, 6))
    k, v = rng.normal(size=(2, 2, kv_heads, S, 6))
    return q, k, v, dy


def bits(drop, *places):
    """The random number of a place, in Python's whole numbers."""
    x = drop.seed
    for i, place in enumerate(places):
        x = (x + 0x9E3779B9 * (place + (drop.row if i == 0 else 0))) % 2**32
        x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
        x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
        x ^= x >> 16
    return x


def loop(q, k, v, mask=None, window=None, slopes=(0,) * 9, drop=None):
    """Causal attention, one query and one key at a time."""
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    (B, H, T, D), S = q.shape, k.shape[2]
    y = np.zeros((B, H, T, v.shape[3]))
    for b, h, t in np.ndindex(B, H, T):
        at, total = S - T + t, 0.0
        for s in range(max(0, at + 1 - window) if window else 0, at + 1):
            if mask is None or mask[b, s]:
                weight = np.exp(q[b, h, t] @ k[b, h, s] / D**0.5 - slopes[h] * (at - s))
                if drop is None or bits(drop, b, h, t, s) >= drop.rate * 2**32:
                    y[b, h, t] += weight * v[b, h, s] / (1 - drop.rate if drop else 1)
                total += weight
        y[b, h, t] /= total or 1
    return y


def check_gradients(arrays, dy, gradients, forward):
    """Against central differences along a random direction."""
    rng = np.random.default_rng(7)
    for array, gradient in zip(arrays, gradients, strict=True):
        along, kept, found = rng.normal(size=array.shape), array.copy(), []
        for step in (1e-5, -1e-5):
            array[...] = kept + step * along
            found.append(float((forward() * dy).sum()))
        array[...] = kept
        assert float((gradient * along).sum()) == pytest.approx(
            (found[0] - found[1]) / 2e-5, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("window", [1, 2, 64, 65, 1000, 1 << 70])
@pytest.mark.parametrize(("T", "S"), SHAPES)
def test_window(either, T, S, window, masked):
    q, k, v, dy = arrays(T, S)
    row = np.random.default_rng(0).random((2, S)) < 0.7 if masked else None
    options = True, None if row is None else row[:, None, None], window
    y, saved = ops.attention(q, k, v, *options)
    np.testing.assert_allclose(y, loop(q, k, v, row, window), atol=1e-12)
    gradients = ops.attention_backward(dy, q, k, v, y, saved, *options)
    check_gradients((q, k, v), dy, gradients, lambda: ops.attention(q, k, v, *options)[0])


def test_blocks_before_the_window_are_not_read():
    pytest.importorskip("numba")
    q, k, v, dy = arrays(70, 300)
    k[:, :, :128] = v[:, :, :128] = np.nan
    y, saved = ops.attention.numba(q, k, v, True, None, 70)
    assert np.isfinite(y).all()
    for gradient in ops.attention_backward.numba(dy, q, k, v, y, saved, True, None, 70):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("window", [0, -1, 2.0, True, "3"])
def test_refused_windows(either, window):
    q, k, v, _ = arrays(3, 3)
    with pytest.raises(ValueError, match="window="):
        ops.attention(q, k, v, True, None, window)


def test_a_window_needs_an_order(either):
    q, k, v, _ = arrays(3, 3)
    with pytest.raises(ValueError, match="window=2 counts positions back"):
        ops.attention(q, k, v, window=2)
    for options in (dict(causal=False), dict(cross=True)):
        with pytest.raises(ValueError, match="window=2 counts positions back"):
            Attention(8, 2, Init(), window=2, **options)
        with pytest.raises(ValueError, match=r"slopes=\[0.0625.*needs causal=True"):
            Attention(8, 2, Init(), positions=Alibi(), **options)
    with pytest.raises(ValueError, match="needs causal=True"):
        ops.attention(q, k, v, slopes=np.ones(2))
    for slopes in (np.ones(3), np.ones((2, 1))):
        with pytest.raises(ValueError, match=r"slopes has shape .*expected \(2,\)"):
            ops.attention(q, k, v, True, slopes=slopes)
        with pytest.raises(ValueError, match="slopes has shape"):
            ops.attention_decode(q[:, :, 0], k, v, np.array([0, 0]), slopes)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize(("T", "S"), SHAPES)
def test_slopes(either, T, S, window, masked):
    q, k, v, dy = arrays(T, S)
    row = np.random.default_rng(0).random((2, S)) < 0.7 if masked else None
    slopes = np.array([0.3, 0.04])
    options = True, None if row is None else row[:, None, None], window, slopes
    y, saved = ops.attention(q, k, v, *options)
    np.testing.assert_allclose(y, loop(q, k, v, row, window, slopes), atol=1e-12)
    gradients = ops.attention_backward(dy, q, k, v, y, saved, *options)
    check_gradients((q, k, v), dy, gradients, lambda: ops.attention(q, k, v, *options)[0])


def test_slopes_when_decoding(either):
    q, k, v, _ = arrays(1, 50)
    slopes, start = np.array([0.3, 0.04]), np.array([0, 20])
    y = ops.attention_decode(q[:, :, 0], k, v, start, slopes)
    whole = loop(q, k, v, np.arange(50) >= start[:, None], None, slopes)
    np.testing.assert_allclose(y, whole[:, :, 0], atol=1e-12)


@pytest.mark.parametrize("heads", [1, 2, 3, 6, 8, 12, 20, 71])
def test_slopes_of_alibi(heads):
    """Against the code of the paper (its appendix A), which is recursive."""
    def slopes_of(n):
        if n & (n - 1) == 0:
            first = 2 ** (-2 ** -(np.log2(n) - 3))
            return [first * first**i for i in range(n)]
        lower = 2 ** int(np.floor(np.log2(n)))
        return slopes_of(lower) + slopes_of(2 * lower)[0::2][:n - lower]

    np.testing.assert_allclose(Alibi().bias(heads, np.arange(5)), slopes_of(heads), rtol=1e-12)


def test_alibi_wants_positions_that_follow_one_another():
    layer, x = Attention(8, 2, Init(), positions=Alibi()), np.ones((2, 3, 8), np.float32)
    layer(x, where=np.array([[0, 1, 2], [0, 0, 1]]))  # the second row begins with padding
    for where in (np.array([0, 2, 3]), np.array([[0, 1, 2], [3, 2, 1]]), np.array([1, 1, 1])):
        with pytest.raises(ValueError, match="where leaves out positions"):
            layer(x, where=where)


@pytest.mark.parametrize(("T", "S"), SHAPES)
def test_dropout_of_weights(either, T, S):
    q, k, v, dy = arrays(T, S)
    drop, row = ops.Drop(0.4, 4_000_000_000, 3), np.random.default_rng(0).random((2, S)) < 0.7
    options = True, row[:, None, None], 70, np.array([0.3, 0.04]), drop
    y, saved = ops.attention(q, k, v, *options)
    np.testing.assert_allclose(y, loop(q, k, v, row, *options[2:]), atol=1e-12)
    gradients = ops.attention_backward(dy, q, k, v, y, saved, *options)
    check_gradients((q, k, v), dy, gradients, lambda: ops.attention(q, k, v, *options)[0])


def test_dropout_without_an_order(either):
    q, k, v, dy = arrays(5, 80)
    options = False, None, None, None, ops.Drop(0.5, 1)
    y, saved = ops.attention(q, k, v, *options)
    gradients = ops.attention_backward(dy, q, k, v, y, saved, *options)
    check_gradients((q, k, v), dy, gradients, lambda: ops.attention(q, k, v, *options)[0])


@pytest.mark.parametrize("kv_heads", [1, 2, 6])
@pytest.mark.parametrize(("T", "S"), SHAPES)
def test_grouped_heads(either, T, S, kv_heads):
    q, k, v, dy = arrays(T, S, 6, kv_heads)
    row = np.random.default_rng(0).random((2, S)) < 0.7
    options = True, row[:, None, None], 70, np.arange(6) / 10, ops.Drop(0.4, 5)
    y, saved = ops.attention(q, k, v, *options)
    np.testing.assert_allclose(y, loop(q, k, v, row, *options[2:]), atol=1e-12)
    out = tuple(np.full(x.shape, np.nan) for x in (q, k, v))
    gradients = ops.attention_backward(dy, q, k, v, y, saved, *options, out=out)
    assert all(a is b for a, b in zip(gradients, out, strict=True))
    check_gradients((q, k, v), dy, gradients, lambda: ops.attention(q, k, v, *options)[0])


def test_grouped_heads_when_decoding(either):
    q, k, v, _ = arrays(1, 50, 6, 2)
    y = ops.attention_decode(q[:, :, 0], k, v, np.array([0, 20]))
    whole = loop(q, k, v, np.arange(50) >= np.array([[0], [20]]))
    np.testing.assert_allclose(y, whole[:, :, 0], atol=1e-12)


@pytest.mark.parametrize("kv_heads", [0, 4, 12])
def test_refused_groups(either, kv_heads):
    q, k, v, _ = arrays(3, 3, 6, kv_heads)
    with pytest.raises(ValueError, match=f"q has 6 heads and k has {kv_heads}"):
        ops.attention(q, k, v, True)
    with pytest.raises(ValueError, match=f"q has 6 heads and k has {kv_heads}"):
        ops.attention_decode(q[:, :, 0], k, v, np.array([0, 0]))
