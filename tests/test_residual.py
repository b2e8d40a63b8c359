"""The residual stream, read and edited: against brute force, on every kind of model with blocks."""

import copy

import numpy as np
import pytest

from minillm import backend, residual
from minillm.generation import generate
from minillm.models import BERT, GPT, BERTConfig, GPTConfig, Seq2Seq, Seq2SeqConfig
from minillm.models.fast_decoding import is_known
from minillm.nn import Experts, Stack
from minillm.training import Workers, evaluate

SIZES = dict(vocab_size=13, context=8, layers=2, heads=4, width=16)
OPTIONS = {
    "GPT-2": {},
    "Llama": dict(norm="rms", feed_forward="swiglu", positions="rotary", kv_heads=2, bias=False,
                  tied=False),
    "ALiBi": dict(positions="alibi", feed_forward="relu"),
    "Mixtral": dict(norm="rms", feed_forward="swiglu", positions="rotary",
                    experts=Experts(4, 2, hidden=9)),
    "DeepSeekMoE": dict(experts=Experts(4, 2, 5, shared=2)),
}
PLACES = [0, 0.5, 1, 1.5, 2]
BACKENDS = ["numpy", "numba"]
IDS, TARGETS = np.random.default_rng(0).integers(0, 13, (2, 3, 7))
R = np.random.default_rng(3).normal(size=16)


def gpt(name="GPT-2", dtype=np.float64, **options):
    model = GPT(GPTConfig(**SIZES, **OPTIONS[name], **options), dtype=dtype)
    model.weights[:] = np.random.default_rng(1).normal(0, 0.4, model.weights.size)
    return model


def without(r):
    return lambda i, x: residual.project_out(x, r, out=x)


def turned(i, x):
    x *= -1 if i in (0.5, 2) else 1


def by_hand(model, edit):
    """The logits of a pre-norm GPT-2, with an edit at every place, from its parts."""
    x = model.positions.embed(model.tokens(IDS).copy(), np.arange(IDS.shape[1])).copy()
    edit(0, x)
    for i, block in enumerate(model.blocks):
        x = x + block.attention(block.norm1(x))
        edit(i + 0.5, x)
        x = x + block.feed_forward(block.norm2(x))
        edit(i + 1, x)
    return model.head(x).copy()


@pytest.mark.parametrize("which", BACKENDS)
def test_edits_act_at_every_place_as_by_hand(which):
    with backend(which):
        model, seen = gpt(), []
        plain = model.forward(IDS).copy()

        def edit(i, x):
            seen.append(i)
            x += (1 + i) * R

        expected = by_hand(model, edit)
        assert seen == PLACES
        with residual.edited(model, edit):
            np.testing.assert_allclose(model.forward(IDS), expected, rtol=1e-9)
        assert not np.allclose(expected, plain)
        assert seen == PLACES * 2
        assert np.array_equal(model.forward(IDS), plain)


def test_nested_edits_act_in_turn_and_go_whatever_happens():
    model = gpt()
    plain, first, seen = model.forward(IDS).copy(), [], []
    model.blocks.tap = lambda i, x: first.append(i)
    tap, norms = model.blocks.tap, [block.norm2 for block in model.blocks]

    def fail():
        with residual.edited(model, lambda i, x: seen.append(("outer", i))):
            try:
                with residual.edited(model, lambda i, x: seen.append(("inner", i))):
                    model.forward(IDS)
                    raise KeyError
            except KeyError:
                assert seen == [(who, i) for i in PLACES for who in ("outer", "inner")]
            model.forward(IDS)
            assert seen[10:] == [("outer", i) for i in PLACES]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert model.blocks.tap is tap
    assert [block.norm2 for block in model.blocks] == norms
    assert first == [0, 1, 2] * 2
    model.blocks.tap = None
    assert np.array_equal(model.forward(IDS), plain)
    assert is_known(model)


def test_an_edit_that_raises_is_taken_away():
    model = gpt()

    def broken(i, x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), residual.edited(model, broken):
        model.forward(IDS)
    assert model.blocks.tap is None
    assert is_known(model)


@pytest.mark.parametrize("which", BACKENDS)
def test_generation_with_and_without_cache_is_edited(which):
    with backend(which):
        model = gpt(dtype=np.float32)
        prompt, edit = [1, 2, 3], turned
        plain = generate(model, prompt, 5, temperature=0)
        row = list(prompt)
        for _ in range(5):
            with residual.edited(model, edit):
                row.append(int(model.forward([row])[0, -1].argmax()))
        with residual.edited(model, edit):
            assert not is_known(model)  # the kernel for one token knows no edits
            for cache in (True, False):
                found = generate(model, prompt, 5, temperature=0, cache=cache)
                assert list(found) == row[-len(found):]
        assert list(plain) != list(found)
        assert list(generate(model, prompt, 5, temperature=0)) == list(plain)


def test_replicas_evaluation_and_workers_are_edited():
    model = gpt()
    plain = evaluate(model, [(IDS, TARGETS)]).loss
    with residual.edited(model, without(R)):
        loss = model.loss(IDS, TARGETS)
        assert evaluate(model, [(IDS, TARGETS)]).loss == pytest.approx(loss, rel=1e-12)
        assert model.replica().loss(IDS, TARGETS) == pytest.approx(loss, rel=1e-12)
        assert copy.deepcopy(model).loss(IDS, TARGETS) == pytest.approx(loss, rel=1e-12)
        assert Workers(model, 3).add_gradient(IDS, TARGETS) == pytest.approx(loss, rel=1e-12)
    assert loss != pytest.approx(plain, rel=1e-3)
    assert evaluate(model, [(IDS, TARGETS)]).loss == plain


@pytest.mark.parametrize("norm_first", [True, False])
def test_gradients_are_untouched(norm_first):
    """Edits that change nothing change no gradient, and reading disturbs no backward."""
    model = gpt(norm_first=norm_first)
    model.loss(IDS, TARGETS)
    model.backward()
    expected = model.grads.copy()
    model.grads[:] = 0
    with residual.edited(model, lambda i, x: None):
        model.loss(IDS, TARGETS)
        stream = residual.streams(model, IDS)
        residual.logit_lens(model, stream)
        model.backward()
    assert np.array_equal(model.grads, expected)


def test_streams_are_copies_of_what_stands_there():
    model, places = gpt(), {}
    by_hand(model, lambda i, x: places.update({i: x.copy()}))
    found = residual.streams(model, IDS)
    assert found.shape == (3, 3, 7, 16)
    np.testing.assert_allclose(found, [places[i] for i in range(3)], rtol=1e-9)
    kept = found.copy()
    with residual.edited(model, without(R)):
        assert np.abs(residual.streams(model, IDS) @ R).max() < 1e-12
    assert np.array_equal(found, kept)


def test_the_last_place_of_the_lens_gives_the_logits():
    for name in ("GPT-2", "Llama"):
        model = gpt(name)
        logits = model.forward(IDS).copy()
        lens = residual.logit_lens(model, residual.streams(model, IDS))
        assert lens.shape == (3, 3, 7, 13)
        np.testing.assert_allclose(lens[-1], logits, rtol=1e-9)
    post = gpt(norm_first=False)
    lens = residual.logit_lens(post, residual.streams(post, IDS)[-1])
    np.testing.assert_allclose(lens, post.forward(IDS), rtol=1e-9)


def test_other_models_have_stacks_too():
    bert = BERT(BERTConfig(**SIZES), dtype=np.float64)
    found = residual.streams(bert, IDS)
    np.testing.assert_allclose(found[-1].mean(axis=-1), 0, atol=1e-9)  # a norm has made it
    seq = Seq2Seq(Seq2SeqConfig(**SIZES), dtype=np.float64)
    with pytest.raises(TypeError, match="Seq2Seq has 2 stacks of blocks; expected a model with"):
        residual.streams(seq, IDS, TARGETS)
    encoder = residual.streams(seq, IDS, TARGETS, stack=seq.encoder)
    decoder = residual.streams(seq, IDS[:, :5], TARGETS, stack=seq.decoder)
    assert encoder.shape == decoder.shape == (3, 3, 7, 16)
    seen, plain = [], seq.forward(IDS, TARGETS).copy()
    with residual.edited(seq.decoder, lambda i, x: seen.append(i)):
        seq.forward(IDS, TARGETS)
    assert seen == [0, 0.5, 0.5, 1, 1.5, 1.5, 2]  # it has a third part
    assert np.array_equal(seq.forward(IDS, TARGETS), plain)
    with residual.edited(seq.decoder, lambda i, x: x.fill(0)):
        assert not np.allclose(seq.forward(IDS, TARGETS), plain)
    with pytest.raises(ValueError, match="stack is no part of this BERT"):
        residual.streams(bert, IDS, stack=seq.encoder)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_patching(layer):
    """With all that a position can see put in place, its logits are those of the other text."""
    model, other = gpt(), TARGETS
    source = residual.streams(model, other)
    expected = model.forward(other).copy()
    with residual.patched(model, layer, slice(None), source[layer]):
        np.testing.assert_allclose(model.forward(IDS), expected, rtol=1e-9)
    plain = model.forward(IDS).copy()
    with residual.patched(model, layer, 3, source[layer][:, 3]):
        found = model.forward(IDS).copy()
    assert np.array_equal(found[:, :3], plain[:, :3])
    assert not np.allclose(found[:, 3], plain[:, 3])
    assert np.allclose(found[:, 4:], plain[:, 4:]) == (layer == 2)  # nothing looks at it later
    with pytest.raises(ValueError, match="layer=3: expected 0 to 2"), \
            residual.patched(model, 3, 0, R):
        pass


def test_directions():
    x = np.random.default_rng(5).normal(size=(4, 5, 16))
    found = residual.project_out(x, R)
    projector = np.eye(16) - np.outer(R, R) / (R @ R)
    np.testing.assert_allclose(found, x @ projector, rtol=1e-9)
    np.testing.assert_allclose(found, residual.project_out(found, 7 * R), atol=1e-12)
    np.testing.assert_allclose(residual.project_out([3.0, 4, 0], [0, 2, 0]), [3, 0, 0])
    assert np.array_equal(residual.add_direction(x, R), x + R)
    half = x.astype(np.float32)
    assert residual.project_out(half, R, out=half) is half
    np.testing.assert_allclose(half, found, atol=1e-5)
    for wrong, message in ((np.ones(8), r"direction has shape \(8,\); expected \(16,\)"),
                           (np.zeros(16), "length 0.0; expected a finite one above 0"),
                           (np.full(16, np.nan), "length nan")):
        for use in (residual.project_out, residual.add_direction):
            with pytest.raises(ValueError, match=message):
                use(x, wrong)
        with pytest.raises(ValueError, match=message):
            residual.ablate_weights(gpt(), wrong)


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", OPTIONS)
def test_edited_weights_equal_projection_at_every_place(name, which):
    with backend(which):
        model = gpt(name)
        plain, kept = model.forward(IDS).copy(), model.weights.copy()
        with residual.edited(model, without(R)):
            expected = model.forward(IDS).copy()
        other = residual.ablate_weights(model, R)
        np.testing.assert_allclose(other.forward(IDS), expected, rtol=1e-8, atol=1e-9)
        assert np.abs(residual.streams(other, IDS) @ R).max() < 1e-9
        assert not np.allclose(plain, expected)
        assert np.array_equal(model.weights, kept)
        assert not np.shares_memory(model.weights, other.weights)
        single = residual.ablate_weights(gpt(name, np.float32), R)
        np.testing.assert_allclose(single.forward(IDS), expected, rtol=2e-2, atol=2e-3)


def test_what_cannot_be_done_is_refused_by_name():
    for options, message in ((dict(norm_first=False), "norm_first=False: the norms write"),
                             (dict(positions="sinusoidal"), "positions='sinusoidal' write")):
        model = GPT(GPTConfig(**SIZES, **options))
        with pytest.raises(ValueError, match=message):
            residual.ablate_weights(model, R)
    bert = BERT(BERTConfig(**SIZES))
    for use in (residual.ablate_weights, residual.logit_lens):
        with pytest.raises(TypeError, match="model is a BERT; expected a GPT"):
            use(bert, R)
    with pytest.raises(ValueError, match="stream's width=15: expected the model's, 16"):
        residual.logit_lens(gpt(), np.ones((2, 15)))
    with pytest.raises(TypeError, match="has 0 stacks of blocks"):
        residual.stack_of(gpt().norm)
    assert isinstance(residual.stack_of(gpt()), Stack)
