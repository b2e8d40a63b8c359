"""BERT: padding, vectors of sentences, fine-tuning, what it can learn, and what it refuses."""

import copy

import numpy as np
import pytest

from minillm import backend
from minillm.data import mask_tokens
from minillm.models import (
    BERT,
    GPT,
    BERTClassifier,
    BERTClassifierConfig,
    BERTConfig,
    BERTEncoder,
    GPTConfig,
)
from minillm.training import AdamW, load_model, save_checkpoint

from .kinds import KINDS, SIZES, segments

BACKENDS = ["numpy", "numba"]
NAMES = [name for name in KINDS if name.startswith("BERT")]


@pytest.mark.parametrize("which", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name, which):
    with backend(which):
        model, (ids, _, types, _) = KINDS[name].make(), segments("tokens")
        ids, types = ids[:, :6], types[:, :6]
        expected = model.forward(ids, None, types).copy()
        vector = model.sentence_vectors(ids, None, types)
        for left, right in ((0, 2), (2, 0), (1, 1)):
            around = (0, 0), (left, right)
            wide = np.pad(ids, around, constant_values=7), np.pad(np.ones(ids.shape, bool), around)
            kinds = np.pad(types, around, constant_values=1)
            found = model.forward(*wide, kinds)
            if found.ndim == 3:
                found = found[:, left:left + 6]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(model.sentence_vectors(*wide, kinds), vector, rtol=1e-9,
                                       atol=1e-12)


@pytest.mark.parametrize("which", BACKENDS)
def test_a_row_of_padding_alone_looks_at_nothing(which):
    with backend(which):
        model, (ids, mask, types, labels) = KINDS["BERT"].make(), segments("tokens")
        logits = model.forward(ids, mask, types)
        assert np.isfinite(logits).all()
        assert not model.blocks[0].attention.y[4].any()
        assert not model.blocks[0].attention.weights()[4].any()
        vectors = model.sentence_vectors(ids, mask, types, unit=True)
        assert not vectors[4].any()
        labels[:] = -100
        assert model.loss(ids, mask, types, labels) == 0
        model.backward()
        assert not model.grads.any()


def test_every_token_sees_all_others():
    model, (ids, *_) = KINDS["BERT"].make(), segments("tokens")
    before = model.forward(ids).copy()
    ids[:, 3] = (ids[:, 3] + 1) % 13
    assert (np.abs(model.forward(ids) - before).max(-1) > 1e-6).all()


def test_vectors_of_sentences_are_means_of_vectors_of_tokens():
    model, (ids, mask, types, _) = KINDS["BERT"].make(), segments("tokens")
    x = model.vectors(ids, mask, types)
    expected = np.stack([row[keep].mean(axis=0) for row, keep in zip(x[:4], mask[:4])])
    found = model.sentence_vectors(ids, mask, types)
    np.testing.assert_allclose(found[:4], expected)
    unit = model.sentence_vectors(ids, mask, types, unit=True)
    np.testing.assert_allclose(np.linalg.norm(unit[:4], axis=1), 1)
    np.testing.assert_allclose(unit[:4] * np.linalg.norm(expected, axis=1)[:, None], expected)
    model.vectors(ids + 0 * ids)
    assert np.array_equal(found, model.sentence_vectors(ids, mask, types))  # it was no borrowed one


def test_an_encoder_has_vectors_and_no_loss(tmp_path):
    config = BERTConfig(**SIZES)
    encoder = BERTEncoder(config)
    assert BERTEncoder.size(config) == encoder.weights.size < BERT.size(config)
    with pytest.raises(TypeError, match="BERTEncoder has no logits"):
        encoder.forward([[1, 2]])
    save_checkpoint(tmp_path / "e.npz", encoder)
    again = load_model(tmp_path / "e.npz")
    assert type(again) is BERTEncoder
    assert np.array_equal(again.vectors([[1, 2]]), encoder.vectors([[1, 2]]))


def test_vectors_between_a_loss_and_its_backward_are_refused_not_mixed_up():
    model, batch = KINDS["BERT"].make(), segments("tokens")
    model.loss(*batch)
    model.sentence_vectors(batch[0])
    with pytest.raises(RuntimeError, match="needs a loss just before it"):
        model.backward()
    model.loss(*batch)
    model.backward()
    expected = model.grads.copy()
    model.grads[:] = 0
    model.loss(*batch)
    model.replica().sentence_vectors(batch[0])
    model.backward()
    assert np.array_equal(model.grads, expected)


def test_a_classifier_takes_what_a_bert_has_learned():
    bert, (ids, mask, types, _) = KINDS["BERT"].make(), segments("tokens")
    classifier = BERTClassifier(
        BERTClassifierConfig(**SIZES, hidden=64, eps=1e-6, dropout=0.1, classes=3),
        dtype=np.float64)
    head = copy.deepcopy(classifier).output.w.value.copy()
    classifier.take(bert)
    assert np.array_equal(classifier.vectors(ids, mask, types), bert.vectors(ids, mask, types))
    assert np.array_equal(classifier.output.w.value, head)
    bert.weights[:] = 0
    assert classifier.vectors(ids, mask, types).any()  # it has its own
    for other in (BERT(BERTConfig(**SIZES | dict(layers=1))), BERT(BERTConfig(**SIZES, hidden=9))):
        with pytest.raises(ValueError, match="expected the same encoder"):
            classifier.take(other)
    with pytest.raises(TypeError, match="other is a GPT"):
        classifier.take(GPT(GPTConfig(**SIZES)))


def train(model, batches, rate):
    optimizer = AdamW(model, lr=rate)
    for step, batch in enumerate(batches):
        optimizer.lr = rate * (1 - step / len(batches))
        model.grads[:] = 0
        model.loss(*batch)
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()


def clozes(rng, count):
    """[CLS] a b c a b c, with ids from 4 on: each token stands there twice, so that one which is
    masked can be told from the other. 0 is padding, 2 the mask, 1 [CLS]."""
    half = rng.integers(4, 13, (count, 3))
    return np.concatenate([np.ones((count, 1), int), half, half], axis=1)


def test_it_learns_what_the_rest_of_a_sentence_determines():
    rng = np.random.default_rng(0)
    model = BERT(BERTConfig(**SIZES | dict(width=32)))
    train(model, [mask_tokens(clozes(rng, 64), 2, 13, [0, 1, 3], seed=i) for i in range(400)], 5e-3)
    ids = clozes(rng, 200)
    for place in range(1, 7):
        hidden = ids.copy()
        hidden[:, place] = 2
        found = model.forward(hidden)[:, place].argmax(-1)
        assert (found == ids[:, place]).mean() >= 0.95


def test_it_learns_to_tell_classes_apart():
    """The class is how many of the two halves' first tokens are above 8: 0, 1 or 2."""
    rng = np.random.default_rng(0)

    def batch(count):
        ids = rng.integers(4, 13, (count, 7))
        ids[:, 0] = 1
        return ids, (ids[:, [1, 4]] > 8).sum(axis=1)

    model = BERTClassifier(BERTClassifierConfig(**SIZES | dict(layers=1), classes=3))
    train(model, [batch(64) for _ in range(200)], 5e-3)
    ids, labels = batch(300)
    assert (model.forward(ids).argmax(-1) == labels).mean() >= 0.95


@pytest.mark.parametrize(("changed", "message"), [
    (dict(vocab_size=0), "vocab_size=0"), (dict(types=0), "types=0"),
    (dict(heads=3), "not a multiple of heads=3"), (dict(norm_first="no"), "norm_first='no'"),
    (dict(eps=1), "eps=1"), (dict(dropout=-0.1), r"dropout=-0\.1"),
    (dict(hidden=1.5), "hidden=1.5"),
])
def test_refused_sizes(changed, message):
    with pytest.raises(ValueError, match=message):
        BERTConfig(**SIZES | changed)
    with pytest.raises(ValueError, match="classes=0"):
        BERTClassifierConfig(**SIZES, classes=0)


@pytest.mark.parametrize(("inputs", "message"), [
    (([[3, 13]],), r"ids holds 13, outside \[0, 13\)"), (([[-1]],), "ids holds -1"),
    (([[3] * 9],), "ids has 9 positions, but the context holds 8"), (([3],), r"shape \(1,\)"),
    (([[3]], [[1, 1]]), "mask has shape"), (([[3]] * 2, None, [[0]]), r"types has shape \(1, 1\)"),
    (([[3]], None, [[2]]), r"types holds 2, outside \[0, 2\)"),
    (([[3] * 3], [[1, 0, 1]]), "mask row 0 has a hole"),
])
@pytest.mark.parametrize("name", ["BERT", "BERTClassifier"])
def test_refused_inputs(name, inputs, message):
    model = KINDS[name].make()
    for method in (model.forward, model.vectors, model.sentence_vectors):
        with pytest.raises(ValueError, match=message):
            method(*inputs)


def test_refused_labels():
    model, classifier = KINDS["BERT"].make(), KINDS["BERTClassifier"].make()
    with pytest.raises(ValueError, match=r"targets holds 13, which is neither in \[0, 13\)"):
        model.loss([[3, 4]], [[13, -100]])
    with pytest.raises(ValueError, match=r"targets holds 3, which is neither in \[0, 3\)"):
        classifier.loss([[3, 4]], [3])
    with pytest.raises(ValueError, match=r"targets has shape \(1, 2\)"):
        classifier.loss([[3, 4]], [[1, 1]])
