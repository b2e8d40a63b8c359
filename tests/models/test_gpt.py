"""GPT: shapes, causality, initialization, memory, errors."""

import numpy as np
import pytest

from minillm import backend
from minillm.models import GPT, GPTConfig
from minillm.nn import Attention, Init

SMALL = GPTConfig(vocab_size=50, context=12, layers=2, heads=2, width=16)


@pytest.fixture
def model():
    model = GPT(SMALL, seed=3)
    model.weights *= 5
    return model


def test_shapes_and_dtype(model):
    logits = model.forward([[1, 2, 3], [4, 5, 6]])
    assert logits.shape == (2, 3, 50)
    assert logits.dtype == np.float32


def test_same_seed_same_weights():
    assert np.array_equal(GPT(SMALL, seed=1).weights, GPT(SMALL, seed=1).weights)
    assert not np.array_equal(GPT(SMALL, seed=1).weights, GPT(SMALL, seed=2).weights)


def test_initialization_is_gpt2s():
    config = GPTConfig(vocab_size=900, context=64, layers=8, heads=2, width=128)
    named = {name: p.value for name, p in GPT(config).named_parameters()}
    assert named["tokens.w"].std() == pytest.approx(0.02, rel=0.03)
    assert named["positions.w"].std() == pytest.approx(0.01, rel=0.05)
    assert named["blocks.3.attention.qkv.w"].std() == pytest.approx(0.02, rel=0.03)
    for name in ("attention.proj.w", "feed_forward.contract.w"):
        assert named[f"blocks.3.{name}"].std() == pytest.approx(0.02 / 4, rel=0.03)
    assert not any(value.any() for name, value in named.items() if name.endswith(".b"))
    assert all((value == 1).all() for name, value in named.items()
               if "norm" in name and name.endswith(".w"))


def test_weights_are_views_of_one_vector(model):
    for _, p in model.named_parameters():
        assert np.shares_memory(p.value, model.weights)
        assert np.shares_memory(p.grad, model.grads)
    assert sum(p.value.size for _, p in model.named_parameters()) == model.weights.size
    matrices = sum(p.value.size for _, p in model.named_parameters() if p.value.ndim == 2)
    assert model.decayed == matrices


@pytest.mark.parametrize("norm_first", [True, False])
def test_parameter_count(norm_first):
    config = GPTConfig(vocab_size=50, context=12, layers=3, heads=2, width=16, hidden=40,
                       norm_first=norm_first)
    assert GPT.size(config) == GPT(config).weights.size


def test_no_position_sees_a_later_one(model):
    ids = np.array([[5, 6, 7, 8, 9, 10]])
    before = model.forward(ids).copy()
    ids[0, 4] = 30
    after = model.forward(ids)
    assert np.array_equal(before[0, :4], after[0, :4])
    assert not np.allclose(before[0, 4:], after[0, 4:])


def test_padding_on_the_right_changes_nothing(model):
    short = model.forward([[5, 6, 7]]).copy()
    long = model.forward([[5, 6, 7, 0, 0]], mask=[[True, True, True, False, False]])
    np.testing.assert_allclose(short[0], long[0, :3], atol=1e-5)


def test_outputs_are_borrowed_until_the_next_forward(model):
    first = model.forward([[1, 2, 3]])
    kept = first.copy()
    second = model.forward([[4, 5, 6]])
    assert np.shares_memory(first, second)
    assert not np.array_equal(first, kept)


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_backends_agree(dtype, digits):
    pytest.importorskip("numba", reason="compares the two backends")
    model = GPT(SMALL, seed=3, dtype=dtype)
    model.weights *= 5
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, 50, (2, 3, 12))
    results = []
    for name in ("numpy", "numba"):
        with backend(name):
            model.grads[:] = 0
            loss = model.loss(ids, targets)
            model.backward()
            results.append((loss, model.grads.copy()))
    assert results[0][0] == pytest.approx(results[1][0], rel=digits)
    largest = abs(results[0][1]).max()  # each sum is rounded as its largest terms are
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=0, atol=digits * largest)


def test_memory_of_attention_grows_with_T_not_its_square():
    pytest.importorskip("numba", reason="the definition stores all probabilities")
    layer = Attention(8, 2, Init())
    kept = []
    for T in (512, 1024):
        layer(np.ones((1, T, 8), np.float32))
        kept.append(layer.kept.nbytes + sum(b.nbytes for b in layer._saved.values()))
    assert kept[1] <= 2 * kept[0]


def test_gradients_accumulate(model):
    ids = np.array([[1, 2, 3]])
    model.grads[:] = 0
    model.loss(ids, ids)
    model.backward()
    once = model.grads.copy()
    model.loss(ids, ids)
    model.backward(scale=2.0)
    np.testing.assert_allclose(model.grads, 3 * once, rtol=1e-4, atol=1e-6)


def test_one_batch_can_be_learned_by_heart():
    from minillm.training import AdamW

    model = GPT(SMALL, seed=0)
    optimizer = AdamW(model, lr=1e-2, weight_decay=0)
    ids = np.random.default_rng(0).integers(0, 50, (2, 13))
    for _ in range(60):
        model.grads[:] = 0
        loss = model.loss(ids[:, :-1], ids[:, 1:])
        model.backward()
        optimizer.step()
    assert loss < 0.05


@pytest.mark.parametrize(("change", "message"), [
    ({"vocab_size": 0}, "vocab_size=0"), ({"heads": 3}, "heads=3"), ({"layers": 1.5}, "layers"),
    ({"width": -8}, "width=-8"), ({"hidden": 0}, "hidden=0"), ({"context": True}, "context"),
])
def test_impossible_sizes(change, message):
    sizes = dict(vocab_size=5, context=4, layers=1, heads=2, width=8) | change
    with pytest.raises(ValueError, match=message):
        GPTConfig(**sizes)


def test_bad_ids(model):
    with pytest.raises(ValueError, match=r"ids holds 50, outside \[0, 50\)"):
        model.forward([[1, 50]])
    with pytest.raises(ValueError, match="ids holds -1"):
        model.forward([[1, -1]])
    with pytest.raises(ValueError, match="13 positions, but the context holds 12"):
        model.forward(np.zeros((1, 13), int))
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        model.forward([1, 2, 3])
    with pytest.raises(ValueError, match="at least one token"):
        model.forward(np.zeros((1, 0), int))
    with pytest.raises(TypeError, match="float64"):
        model.forward([[0.5]])


def test_bad_targets(model):
    with pytest.raises(ValueError, match="targets holds 77"):
        model.loss([[1, 2]], [[3, 77]])
    with pytest.raises(ValueError, match="one label for each row"):
        model.loss([[1, 2]], [[3]])


def test_wrong_ids_in_every_backend_and_path(model):
    for name in ("numpy", "numba"):
        with backend(name):
            for ids in ([[-1]], [[50]], [[3, -1]], [[2**40]]):
                with pytest.raises(ValueError, match=rf"ids holds {ids[0][-1]}, outside \[0, 50\)"):
                    model.extend(ids, model.new_cache(1))
            for ids in ([[1.7]], [[1.0]], [[True]], [["a"]], [[None]]):
                for call in (model.forward, lambda ids: model.extend(ids, model.new_cache(1))):
                    with pytest.raises(TypeError, match="ids has dtype"):
                        call(ids)


def test_targets_must_be_integers(model):
    for wrong in (np.ones((1, 2)), [[True, False]]):
        with pytest.raises(TypeError, match="targets has dtype"):
            model.loss([[1, 2]], wrong)


@pytest.mark.parametrize("dtype", [np.float16, np.int32, "float128", complex, bool])
def test_numbers_that_a_model_cannot_be_made_of(dtype):
    with pytest.raises(ValueError, match=r"dtype=.*expected float32 or float64"):
        GPT(SMALL, dtype=dtype)
    assert GPT(SMALL, dtype="float64").weights.dtype == np.float64


def test_without_a_seed_every_model_is_another():
    assert not np.array_equal(GPT(SMALL, seed=None).weights, GPT(SMALL, seed=None).weights)


@pytest.mark.parametrize("value", [2.0, np.float64(2), True, np.bool_(True), "2", None])
def test_sizes_are_whole_numbers(value):
    with pytest.raises(ValueError, match="layers="):
        GPTConfig(vocab_size=5, context=4, layers=value, heads=2, width=8)
    with pytest.raises(ValueError, match="norm_first=1"):
        GPTConfig(vocab_size=5, context=4, layers=1, heads=2, width=8, norm_first=1)


def test_numpy_integers_become_plain():
    config = GPTConfig(*np.array([5, 4, 1, 2, 8, 16]), norm_first=np.bool_(False))
    assert config == GPTConfig(5, 4, 1, 2, 8, 16, norm_first=False)
    assert [type(value) for value in vars(config).values()][:7] == [int] * 6 + [bool]
