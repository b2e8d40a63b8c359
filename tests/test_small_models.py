"""The recipes of the translator and of the gap fillers run, and what they measure is a share."""

from itertools import islice

import numpy as np
import pytest

from minillm import small_models
from minillm.data.tasks import cloze
from minillm.models import gap_filler, translator


def test_the_translators_recipe():
    model, source, target = small_models.train_translator(3, 300, progress=False)
    assert [target.token_to_id(token) for token in ("<pad>", "<start>", "<end>")] == [0, 1, 2]
    assert source.vocab_size == model.config.source_vocab
    assert target.vocab_size == model.config.vocab_size
    assert np.isfinite(model.weights).all()


def test_a_batch_of_the_translators():
    pairs = list(small_models.translation.pairs(200, seed=0))
    source, target = translator()[1:]
    batches = small_models.translation_batches(pairs, source, target, size=64)
    x, y, mask, labels = max(islice(batches, 3), key=lambda batch: (~batch[2]).sum())
    assert not mask.all()
    chinese_of = {tuple(p.english): list(p.chinese) for p in pairs}
    for row, real, inputs, wanted in zip(x, mask, y, labels, strict=True):
        chinese = chinese_of[tuple(map(source.id_to_token, row[real].tolist()))]
        assert not row[~real].any()
        assert inputs[0] == small_models.START
        assert [target.id_to_token(id) for id in inputs[1:len(chinese) + 1]] == chinese
        assert not inputs[len(chinese) + 1:].any()
        assert list(wanted[:len(chinese) + 1]) == [*inputs[1:len(chinese) + 1], small_models.END]
        assert (wanted[len(chinese) + 1:] == small_models.IGNORE).all()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_gap_fillers_recipe(language):
    model, tok = small_models.train_filler(language, 3, 200, progress=False)
    assert [tok.token_to_id(token) for token in small_models.SPECIAL] == list(range(5))
    words = next(cloze.samples(1, seed=1, language=language)).words
    ids = tok.encode(" ".join(words))
    assert [tok.id_to_token(id) for id in ids] == ["[CLS]", *words, "[SEP]"]
    assert np.isfinite(model.weights).all()


def test_those_that_come_along_are_as_good_as_measured():
    """Of 200 sentences that were held back in training."""
    assert small_models.translated_exactly(*translator(), 200) > 0.95
    for language in ("en", "zh"):
        assert small_models.filled_rightly(*gap_filler(language), language, 200) > 0.95
