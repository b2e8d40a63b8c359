"""Every option of a GPT: its gradients, its cache, and what is refused."""

import itertools

import numpy as np
import pytest

from minillm import backend, ops
from minillm.generation import generate
from minillm.generation.scorers import Cached, Uncached
from minillm.models import GPT, GPTConfig
from minillm.models.fast_decoding import FastDecoder, is_known
from minillm.nn import (
    Attention,
    CrossBlock,
    Drops,
    Experts,
    FeedForward,
    Init,
    LayerNorm,
    Parameter,
    Stack,
)
from minillm.training import load_model, save_checkpoint

from .gradients import check_gradients

SIZES = dict(vocab_size=13, context=8, layers=2, heads=4, width=16)
OPTIONS = {
    "GPT-2": {},
    "GPT-1": dict(norm_first=False),
    "Llama": dict(norm="rms", feed_forward="swiglu", positions="rotary", kv_heads=2, bias=False,
                  tied=False),
    "BERT's gelu": dict(feed_forward="gelu_exact", norm_eps=1e-12, kv_heads=1),
    "no positions": dict(positions="none", feed_forward="relu"),
    "Mistral": dict(norm="rms", feed_forward="swiglu", positions="rotary", kv_heads=2, bias=False,
                    tied=False, window=3),
    "waves": dict(positions="sinusoidal"),
    "ALiBi": dict(positions="alibi"),
    "ALiBi with all": dict(positions="alibi", kv_heads=1, window=3, norm_first=False),
    "dropout": dict(dropout=0.3),
    "GPT-2 with a window": dict(window=2),
    "Switch": dict(feed_forward="relu", experts=Experts(4, 1, normalize=False, balance=0.1)),
    "Mixtral": dict(norm="rms", feed_forward="swiglu", positions="rotary", kv_heads=2, bias=False,
                    tied=False, experts=Experts(4, 2, hidden=9, balance=0.1, z=0.03)),
    "DeepSeek-V3": dict(norm="rms", feed_forward="swiglu", bias=False, tied=False,
                        experts=Experts(6, 3, 5, shared=2, gate="sigmoid", correction=True,
                                        balance=0.01)),
    "DeepSeekMoE, dense": dict(experts=Experts(3, 3, 5, shared=1, normalize=False, z=0.01)),
}
BACKENDS = ["numpy", "numba"]


def model_of(name, dtype=np.float64):
    model = GPT(GPTConfig(**SIZES, **OPTIONS[name]), dtype=dtype)
    model.weights[:] = np.random.default_rng(1).normal(0, 0.4, model.weights.size)
    return model


def batch():
    ids, targets = np.random.default_rng(0).integers(0, 13, (2, 2, 7))
    targets[0, 2] = -100
    return ids, targets


def seeded(name):
    """What ``loss`` must be told of this model."""
    return dict(seed=5, row=2) if "dropout" in OPTIONS[name] else {}


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", OPTIONS)
def test_gradients_of_every_parameter(name, which):
    """Against finite differences, along a random direction of each."""
    with backend(which):
        model = model_of(name)
        check_gradients(model, lambda: model.loss(*batch(), **seeded(name)))


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", OPTIONS)
def test_cache_and_padding(name, which):
    """With a cache, also behind padding, come the logits of the whole text."""
    with backend(which):
        model, (ids, _) = model_of(name), batch()
        whole = model.forward(ids)[:, -1].copy()
        for padding in (0, 1):
            cache, start = model.new_cache(2), np.array([padding, padding])
            model.extend(np.pad(ids, ((0, 0), (padding, 0)))[:, :4], cache, start)
            for k in range(4 - padding, 7):
                last = model.extend(ids[:, k:k + 1], cache, start)
            np.testing.assert_allclose(last, whole, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_checkpoints_keep_the_options(name, tmp_path):
    model = model_of(name, np.float32)
    save_checkpoint(tmp_path / "m.npz", model)
    again = load_model(tmp_path / "m.npz")
    assert again.config == model.config
    assert np.array_equal(again.forward(batch()[0]), model.forward(batch()[0]))


@pytest.mark.parametrize("name", OPTIONS)
def test_size_takes_no_memory(name):
    config = GPTConfig(**SIZES, **OPTIONS[name])
    assert GPT.size(config) == GPT(config).weights.size
    huge = GPTConfig(**SIZES | dict(vocab_size=10**9, width=4096), **OPTIONS[name])
    assert GPT.size(huge) > 10**12


def test_rotary_depends_on_the_distance_only():
    q, k = np.random.default_rng(0).normal(size=(2, 1, 1, 1, 16))
    products = [(ops.rotate(q, [at]) * ops.rotate(k, [at - 3])).sum() for at in (3, 10, 500)]
    np.testing.assert_allclose(products, products[0])
    there = ops.rotate(q, [7])
    np.testing.assert_allclose(ops.rotate(there, [-7]), q)
    pairs = q[..., :8] + 1j * q[..., 8:]  # the same as turning complex numbers
    turned = pairs * np.exp(1j * 7 * 10_000.0 ** (-np.arange(8) / 8))
    np.testing.assert_allclose(there, np.concatenate([turned.real, turned.imag], -1))


@pytest.mark.parametrize("kv_heads", [4, 2, 1])
def test_cross_attention(kv_heads):
    """Gradients of x and of the memory, against finite differences."""
    layer = Attention(8, 4, Init(2, np.float64), causal=False, kv_heads=kv_heads, cross=True)
    rng = np.random.default_rng(0)
    x, memory, dy = (rng.normal(size=(2, n, 8)) for n in (3, 5, 3))

    def loss():
        return float((layer(x, memory=memory) * dy).sum())

    loss()
    dmemory = np.zeros_like(memory)
    dx = layer.backward(dy.copy(), dmemory).copy()
    for array, gradient in ((x, dx), (memory, dmemory)):
        for place in itertools.islice(np.ndindex(array.shape), 0, None, 7):
            kept, found = array[place], []
            for step in (1e-5, -1e-5):
                array[place] = kept + step
                found.append(loss())
            array[place] = kept
            assert gradient[place] == pytest.approx((found[0] - found[1]) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("norm_first", [True, False])
def test_blocks_that_look_at_a_memory(norm_first, seed):
    """Gradients of the stream, the memory and every parameter of two such blocks."""
    init, rng = Init(3, np.float64), np.random.default_rng(0)

    def block():
        return CrossBlock(lambda: LayerNorm(8, init), Attention(8, 2, init, dropout=0.2),
                          Attention(8, 2, init, causal=False, cross=True, dropout=0.3),
                          FeedForward(8, 16, init), norm_first, dropout=0.1)

    stack = Stack([block(), block()])
    for _, p in stack.named_parameters():
        p.value = rng.normal(0, 0.5, p.shape)
    x, memory, dy = (rng.normal(size=(2, n, 8)) for n in (3, 5, 3))

    def loss():
        drops = None if seed is None else Drops(seed)
        return float((stack(x.copy(), memory=memory, drops=drops) * dy).sum())

    loss()
    dmemory = np.zeros_like(memory)
    dx = stack.backward(dy.copy(), dmemory).copy()
    gradients = [(x, dx), (memory, dmemory)]
    gradients += [(p.value, p.grad) for _, p in stack.named_parameters()]
    for array, gradient in gradients:
        along, kept, found = rng.normal(size=array.shape), array.copy(), []
        for step in (1e-5, -1e-5):
            array[...] = kept + step * along
            found.append(loss())
        array[...] = kept
        numeric = (found[0] - found[1]) / 2e-5
        assert float((gradient * along).sum()) == pytest.approx(numeric, rel=1e-6, abs=1e-9)


def test_tap_sees_the_stream_and_may_change_it():
    model, (ids, _) = model_of("GPT-2"), batch()
    before = model.forward(ids).copy()
    seen = []
    model.blocks.tap = lambda i, x: seen.append((i, x.copy()))
    assert np.array_equal(model.forward(ids), before)
    assert [i for i, _ in seen] == [0, 1, 2]
    np.testing.assert_allclose(model.head(seen[2][1]), before)

    def silence(i, x):
        if i == 1:
            x[:] = 0

    model.blocks.tap = silence
    assert not np.allclose(model.forward(ids), before)
    with pytest.raises(RuntimeError, match="needs a loss just before it"):
        model.backward()


def test_the_fast_decoder_steps_aside_unless_it_knows_the_model():
    pytest.importorskip("numba", reason="there is no kernel without Numba")

    class Other(FeedForward):
        pass

    def changed(change):
        model = model_of("GPT-2", np.float32)
        change(model)
        return model

    def replace(model):
        model.blocks[1].feed_forward = Other(16, 64, Init())

    assert is_known(changed(lambda model: None))
    assert FastDecoder.of(changed(lambda model: None)) is not None
    for name in OPTIONS:
        assert is_known(model_of(name)) == (name in ("GPT-2", "dropout"))  # it drops no token
    for change in (
        replace,
        lambda model: setattr(model.blocks, "tap", lambda i, x: None),
        lambda model: setattr(model.blocks[0].norm2, "eps", 1e-6),
        lambda model: setattr(model.norm, "eps", 1e-6),
        lambda model: setattr(model.blocks[1].attention, "causal", False),
        lambda model: setattr(model.blocks[1], "norm_first", False),
        lambda model: setattr(model.blocks[0].feed_forward, "activation", "relu"),
    ):
        assert not is_known(changed(change))
    with backend("numpy"):
        assert FastDecoder.of(changed(lambda model: None)) is None


@pytest.mark.parametrize("name", OPTIONS)
def test_generation_with_and_without_the_cache(name):
    model = model_of(name)
    prompts = [[1, 2, 3], [4], [5, 6]]
    for texts in (prompts, prompts[0]):
        assert generate(model, texts, 20) == generate(model, texts, 20, cache=False)


def test_rows_may_leave_and_change_places():
    """As in beam search; the last row left is no case for the kernel any more."""
    model = model_of("GPT-2", np.float32)
    cached, uncached = Cached(model.replica()), Uncached(model.replica())
    texts = [[1, 2, 3], [4], [5, 6]]
    for parents in ([2, 2, 0], [1, 2], [1], [0]):
        np.testing.assert_allclose(cached(texts), uncached(texts), rtol=1e-4, atol=1e-5)
        cached.follow(parents)
        texts = [[*texts[p], 7] for p in parents]


def test_what_is_not_trained_stays():
    from minillm.training import AdamW

    model = model_of("GPT-2")
    model.tokens.w.trainable = model.norm.b.trainable = False
    model._join()
    assert model.grads.size == model.learned == model.weights.size - 13 * 16 - 16
    assert model.decayed + 13 * 16 == sum(p.value.size for _, p in model.named_parameters()
                                          if p.value.ndim == 2)
    with pytest.raises(AttributeError, match="not trainable"):
        _ = model.norm.b.grad
    before = model.norm.b.value.copy(), model.norm.w.value.copy()
    optimizer = AdamW(model)
    model.grads[:] = 1
    optimizer.step()
    assert np.array_equal(model.norm.b.value, before[0])
    assert not np.array_equal(model.norm.w.value, before[1])


def test_decay_is_said():
    assert Parameter(np.zeros(3), decay=True).decay
    named = dict(model_of("Llama").named_parameters())
    assert named["output.w"].decay
    assert not named["blocks.0.norm1.w"].decay


@pytest.mark.parametrize(("option", "message"), [
    (dict(norm="batch"), "norm='batch': expected one of layer, rms"),
    (dict(feed_forward=["gelu"]), "feed_forward="),
    (dict(positions="sinus"), "positions='sinus'"),
    (dict(kv_heads=3), "kv_heads=3 does not divide heads=4"),
    (dict(kv_heads=0), "kv_heads=0"),
    (dict(norm_eps=0), "norm_eps=0"),
    (dict(window=0), "window=0: expected a whole number of at least 1"),
    (dict(window=2.5), "window=2.5"),
    (dict(dropout=1), "dropout=1: expected a share of at least 0 and below 1"),
    (dict(dropout=-0.1), "dropout=-0.1"),
    (dict(dropout="0.1"), "dropout='0.1'"),
    (dict(dropout=float("nan")), "dropout=nan"),
    (dict(tied=1), "tied=1"),
    (dict(positions="rotary", width=12), "rotary positions need an even number"),
])
def test_refused(option, message):
    with pytest.raises(ValueError, match=message):
        GPTConfig(**SIZES | option)
