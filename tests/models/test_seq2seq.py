"""The encoder–decoder: against PyTorch's, padding, its cache, search, and what it can learn."""

import itertools

import numpy as np
import pytest

from minillm import backend, ops
from minillm.generation import beam_search, generate
from minillm.generation.beam import length_penalty
from minillm.models import Seq2Seq, Seq2SeqConfig
from minillm.nn import CrossCache
from minillm.training import AdamW

from .kinds import KINDS, pairs

BACKENDS = ["numpy", "numba"]
NAMES = [name for name in KINDS if name.startswith("Seq2Seq")]
START, END = 1, 2


def test_waves_of_positions():
    """Written out, and as the turning of pairs that Vaswani et al. give as their reason."""
    waves = ops.sinusoids(np.arange(50), 8)
    for at, i in itertools.product((0, 1, 49), range(4)):
        angle = at / 10_000 ** (2 * i / 8)
        np.testing.assert_allclose(waves[at, 2 * i:2 * i + 2], [np.sin(angle), np.cos(angle)])
    pairs = (waves[:, 1::2] + 1j * waves[:, ::2])
    np.testing.assert_allclose(pairs[7:], pairs[:-7] * pairs[7])
    with pytest.raises(ValueError, match="width=7"):
        ops.sinusoids(np.arange(3), 7)
    with pytest.raises(ValueError, match="width=7"):
        Seq2Seq(Seq2SeqConfig(13, 8, 1, 1, 7))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm_first", [False, True])
def test_parity_with_pytorch(norm_first):
    torch = pytest.importorskip("torch")
    C = 16
    model = Seq2Seq(Seq2SeqConfig(13, 8, 2, 4, C, norm_first=norm_first), dtype=np.float64)
    model.weights[:] = np.random.default_rng(1).normal(0, 0.3, model.weights.size)
    theirs = torch.nn.Transformer(C, 4, 2, 2, 4 * C, 0.0, batch_first=True, norm_first=norm_first,
                                  dtype=torch.float64)
    if not norm_first:  # theirs has them always, the paper none
        theirs.encoder.norm = theirs.decoder.norm = None

    def put(to, part):
        to.weight.data[:] = torch.tensor(part.w.value.T if part.w.value.ndim == 2 else part.w.value)
        to.bias.data[:] = torch.tensor(part.b.value)

    def attention(to, parts, proj):
        to.in_proj_weight.data[:] = torch.tensor(np.concatenate([p.w.value for p in parts], 1).T)
        to.in_proj_bias.data[:] = torch.tensor(np.concatenate([p.b.value for p in parts]))
        put(to.out_proj, proj)

    for stack, mine in ((theirs.encoder, model.encoder), (theirs.decoder, model.decoder)):
        for to, block in zip(stack.layers, mine, strict=True):
            attention(to.self_attn, [block.attention.qkv], block.attention.proj)
            norms = [block.norm1, block.norm2]
            if stack is theirs.decoder:
                attention(to.multihead_attn, [block.cross.query, block.cross.key_value],
                          block.cross.proj)
                norms.insert(1, block.norm_cross)
            for i, norm in enumerate(norms, 1):
                put(getattr(to, f"norm{i}"), norm)
            put(to.linear1, block.feed_forward.expand)
            put(to.linear2, block.feed_forward.contract)
    for stack, norm in zip((theirs.encoder, theirs.decoder), model.norms, strict=False):
        put(stack.norm, norm)
    source, target, mask, _ = pairs("mask")
    source, target, mask = source[:4], target[:4], mask[:4]
    table = model.target.tokens.w.value
    where = np.maximum(np.arange(6) - mask.argmax(1)[:, None], 0)
    x = table[source] * C ** 0.5 + ops.sinusoids(where, C)
    y = table[target] * C ** 0.5 + ops.sinusoids(np.arange(7), C)
    padding = torch.tensor(~mask)
    with torch.no_grad():
        expected = theirs(torch.tensor(x), torch.tensor(y), src_key_padding_mask=padding,
                          memory_key_padding_mask=padding,
                          tgt_mask=torch.tensor(np.triu(np.ones((7, 7), bool), 1))).numpy()
    np.testing.assert_allclose(model.forward(source, target, mask), expected @ table.T, rtol=1e-9)


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name, which):
    with backend(which):
        model, (source, target, _) = KINDS[name].make(), pairs()
        expected = model.forward(source, target).copy()
        for left, right in ((0, 2), (2, 0), (1, 1)):
            mask = np.pad(np.ones(source.shape, bool), ((0, 0), (left, right)))
            wide = np.pad(source, ((0, 0), (left, right)), constant_values=7)
            found = model.forward(wide, target, mask)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        longer = np.pad(target, ((0, 0), (0, 1)), constant_values=7)
        np.testing.assert_allclose(model.forward(source, longer)[:, :-1], expected, rtol=1e-9,
                                   atol=1e-12)


@pytest.mark.parametrize("which", BACKENDS)
def test_a_source_of_padding_alone_gives_zeros_to_look_at(which):
    with backend(which):
        model = KINDS["Seq2Seq, padded"].make()
        source, target, mask, _ = pairs("mask")
        logits = model.forward(source, target, mask).copy()
        assert np.isfinite(logits).all()
        assert not model.decoder[0].cross.y[4].any()
        assert not model.alignment(source, target, mask)[4].any()
        source[4] = 3
        np.testing.assert_allclose(model.forward(source, target, mask), logits)


def test_weights_of_cross_attention():
    """Each target token's weights add up to 1 over what is no padding, in every layer and head."""
    source, target, mask, _ = pairs("mask")
    for name in NAMES:
        model = KINDS[name].make()
        for layer in (0, 1, -1):
            found = model.alignment(source, target, mask, layer)
            assert found.shape == (5, 4, 7, 6)
            np.testing.assert_allclose(found[:4].sum(-1), 1)
            assert not found.swapaxes(1, 3)[~mask].any()
        cross = model.decoder[-1].cross
        v = cross.split(cross.key_value(model.memory), 4, 4)[1]
        np.testing.assert_allclose(found @ v, cross.split(cross.y, 4)[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found, model.alignment(source, target, mask, 1))


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_cache_gives_the_logits_of_the_whole(name, which):
    with backend(which):
        model, (source, target, mask, _) = KINDS[name].make(), pairs("mask")
        whole = model.forward(source, target, mask)[:, -1].copy()
        for first, padding in ((1, 0), (4, 0), (3, 1)):
            cache = model.new_cache(source, mask)
            assert all(type(part) is CrossCache for part in cache)
            ids = np.pad(target[:, :first], ((0, 0), (padding, 0)))
            last = model.extend(ids, cache, np.full(5, padding))
            for t in range(first, 7):
                last = model.extend(target[:, t:t + 1], cache, np.full(5, padding))
            np.testing.assert_allclose(last, whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("which", BACKENDS)
def test_a_memory_serves_several_rows(which):
    """Two sources with three rows each; then rows change places, within a source and beyond."""
    with backend(which):
        model, (source, target, mask, _) = KINDS["Seq2Seq, padded"].make(), pairs("mask")
        chosen, rows = [0, 1], target[[0, 1, 2, 3, 4, 0]]
        cache = model.new_cache(source[chosen], mask[chosen], batch=6)
        model.extend(rows[:, :2], cache)
        of = np.array([0, 0, 0, 1, 1, 1])
        given = model.replica().given(source[chosen], mask[chosen])
        given.forward(rows[:, :1])
        for order, memories in (([2, 0, 0, 5, 4, 3], 2), ([0, 1, 4, 5], 2), ([1, 2, 3], 3),
                                ([2, 1, 0], 3), ([0, 0], 1)):
            for part in cache:
                part.select(order)
                assert len(part.memory_keys) == memories  # copied only where they must be
            given.follow(order)
            rows, of = rows[order], of[order]
            ids = rows[:, cache[0].length:cache[0].length + 1]
            last = model.extend(ids, cache)
            expected = model.replica().forward(source[of], rows[:, :cache[0].length], mask[of])
            np.testing.assert_allclose(last, expected[:, -1], rtol=1e-9, atol=1e-12)
            again = given.forward(rows[:, :cache[0].length])
            np.testing.assert_allclose(again, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_with_and_without_the_cache_the_same_is_written(name, which):
    sources = [[3, 4, 5, 6], [7], [8, 9, 10, 11, 12, 3, 4, 5]]
    with backend(which):
        model = KINDS[name].make(np.float64)
        for how in (dict(), dict(beams=3), dict(beams=4, alpha=0.8), dict(beams=13)):
            found = model.generate(sources, 8, START, [END], **how)
            assert found == model.generate(sources, 8, START, [END], cache=False, **how)
            assert found == [model.generate(row, 8, START, [END], **how) for row in sources]
            assert not any(END in row or len(row) > 8 for row in found)
        assert model.generate(sources, 0, START) == [[], [], []]
        assert model.generate(sources, 0, START, beams=2) == [[], [], []]
        many = [sources[i % 3] for i in range(70)]  # more than are translated side by side
        found = model.generate(sources, 4, START, [END], beams=2)
        assert model.generate(many, 4, START, [END], beams=2) == [found[i % 3] for i in range(70)]


def test_greedy_is_a_beam_of_one():
    model, (source, *_) = KINDS["Seq2Seq"].make(), pairs()
    for row in source:
        (ids, _), = beam_search(model.given(row[None]), [START], 8, beams=1, stop=[END])
        assert ids[1:] == model.generate(row.tolist(), 8, START, [END])
    texts = generate(model.given(source[:2]), [[START], [START]], 8, seed=3)
    assert texts == [generate(model.given(source[:1]), [START], 8, seed=3), texts[1]]


def test_a_wide_beam_finds_the_best_translation():
    """Against every target of up to four tokens, scored by the whole model without a cache."""
    config = Seq2SeqConfig(vocab_size=5, context=5, layers=1, heads=1, width=8)
    model = Seq2Seq(config, dtype=np.float64)
    model.weights[:] = np.random.default_rng(4).normal(0, 0.6, model.weights.size)
    source = np.array([[3, 4, 4, 0]])
    scores = {}
    for length in range(5):
        for rest in itertools.product([0, 1, 3, 4], repeat=length):
            ids = [START, *rest] + ([END] if length < 4 else [])
            log_p = ops.log_softmax(model.forward(source, [ids[:-1]])[0])
            scores[rest] = log_p[np.arange(len(ids) - 1), ids[1:]].sum(), len(ids) - 1
    for alpha in (0.0, 0.6, 1.0, 5.0):
        ranked = sorted(scores, key=lambda ids: -scores[ids][0]
                        / length_penalty(scores[ids][1], alpha))[:20]
        found = beam_search(model.given(source), [START], 4, 700, [END], alpha)
        assert [tuple(ids[1:]) for ids, _ in found[:20]] == ranked
        for ids, score in found:
            assert score == pytest.approx(scores[tuple(ids[1:])][0])


def test_the_length_penalty_is_that_of_gnmt():
    assert length_penalty(1, 0.9) == 1
    assert length_penalty(13, 0) == 1
    assert length_penalty(13, 0.5) == pytest.approx(3 ** 0.5)


@pytest.mark.parametrize("norm_first", [False, True])
def test_it_learns_to_write_backwards(norm_first):
    model = Seq2Seq(Seq2SeqConfig(14, 8, 1, 2, 32, norm_first=norm_first))
    optimizer, rng = AdamW(model, lr=5e-3), np.random.default_rng(0)
    for step in range(250):
        source = rng.integers(3, 14, (32, 6))
        optimizer.lr = 5e-3 * (1 - step / 250)
        labels = np.pad(source[:, ::-1], ((0, 0), (0, 1)), constant_values=END)
        target = np.pad(labels[:, :-1], ((0, 0), (1, 0)), constant_values=START)
        model.grads[:] = 0
        model.loss(source, target, labels)
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()
    source = rng.integers(3, 14, (50, 6))
    for how in (dict(), dict(beams=3, alpha=0.6)):
        found = model.generate(list(source), 8, START, [END], **how)
        right = sum(a == b[::-1] for a, b in zip(found, source.tolist(), strict=True))
        assert right >= 47
    labels = np.pad(source[:, ::-1], ((0, 0), (1, 0)), constant_values=START)
    weights = model.alignment(source, labels)[:, :, :6].mean((0, 1))
    assert (weights.argmax(-1) == np.arange(5, -1, -1)).mean() >= 5 / 6  # it looks where it reads


@pytest.mark.parametrize(("changed", "message"), [
    (dict(vocab_size=0), "vocab_size=0"), (dict(source_vocab=0), "source_vocab=0"),
    (dict(heads=3), "not a multiple of heads=3"), (dict(positions="alibi"), "positions='alibi'"),
    (dict(feed_forward="gelus"), "feed_forward='gelus'"), (dict(dropout=1.0), r"dropout=1\.0"),
    (dict(tied=1), "tied=1"), (dict(eps=0), "eps=0"), (dict(layers=True), "layers=True"),
])
def test_refused_sizes(changed, message):
    with pytest.raises(ValueError, match=message):
        Seq2SeqConfig(**dict(vocab_size=13, context=8, layers=1, heads=4, width=16) | changed)


@pytest.fixture(scope="module")
def model():
    return Seq2Seq(Seq2SeqConfig(13, 8, 1, 4, 16, source_vocab=20))


@pytest.mark.parametrize(("inputs", "message"), [
    (([[3, 20]], [[1]]), r"source holds 20, outside \[0, 20\)"),
    (([[3, -1]], [[1]]), "source holds -1"), (([[3]], [[13]]), r"target holds 13, outside \[0, 13"),
    (([[3] * 9], [[1]]), "source has 9 positions, but the context holds 8"),
    (([[3]], [[1] * 9]), "target has 9 positions"), (([[3]] * 2, [[1]]), "source 2 rows"),
    (([3], [[1]]), r"source has shape \(1,\)"), (([[3]], [[]]), r"target has shape \(1, 0\)"),
    (([[3]], [[1]], [[1, 1]]), r"mask has shape \(1, 2\), but source \(1, 1\)"),
    (([[3] * 3], [[1]], [[1, 0, 1]]), "mask row 0 has a hole"),
])
def test_refused_inputs(model, inputs, message):
    with pytest.raises(ValueError, match=message):
        model.forward(*inputs)


def test_refused_batches_and_labels(model):
    with pytest.raises(TypeError, match=r"source has dtype float64"):
        model.forward([[0.5]], [[1]])
    with pytest.raises(ValueError, match=r"targets holds 13"):
        model.loss([[3]], [[1]], [[13]])
    with pytest.raises(ValueError, match=r"takes as inputs \(source, target, mask=None\)"):
        model.loss([[3]], [[1]])


@pytest.mark.parametrize(("arguments", "error", "message"), [
    (([], 3, 1), ValueError, "source 0 is empty"), (([[3], []], 3, 1), ValueError, "source 1 is"),
    (([20], 3, 1), ValueError, "source 0 holds 20"), ((7, 3, 1), TypeError, "source=7"),
    (([3], 9, 1), ValueError, "max_new_tokens=9"), (([3], -1, 1), ValueError, "max_new_tokens=-1"),
    (([3], 3, 13), ValueError, "start holds 13"), (([3], 3, 1, [99]), ValueError, "stop holds 99"),
    (([3], 3, 1, (), 0), ValueError, "beams=0"),
    (([3], 3, 1, (), 14), ValueError, "beams=14 is wider than the vocabulary of 13"),
    (([3], 3, 1, (), 2, -1), ValueError, "alpha=-1"),
    (([3], 3, 1, (), 2, float("inf")), ValueError, "alpha=inf"),
    (([3] * 9, 3, 1), ValueError, "source has 9 positions"),
])
def test_refused_requests(model, arguments, error, message):
    with pytest.raises(error, match=message):
        model.generate(*arguments)


def test_caches_must_fit(model):
    other = Seq2Seq(Seq2SeqConfig(13, 8, 2, 4, 16))
    for cache in (other.new_cache([[3]]), model.new_cache([[3], [4]]), []):
        with pytest.raises(ValueError, match=r"make it with new_cache\(source, batch=1\)"):
            model.extend([[1]], cache)
    with pytest.raises(ValueError, match="start="):
        model.extend([[1]], model.new_cache([[3]]), [1])
    cache = model.new_cache([[3]])
    model.extend([[1] * 8], cache)
    with pytest.raises(ValueError, match="ids has 9 positions"):
        model.extend([[1]], cache)
    with pytest.raises(ValueError, match="batch=3 rows do not divide"):
        model.new_cache([[3], [4]], batch=3)
