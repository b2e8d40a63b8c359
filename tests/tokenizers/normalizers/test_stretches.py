"""Normalizers that look only at the stretches that change: as their steps, taken one by one."""

import random

import numpy as np
import pytest

from minillm.tokenizers.normalizers.bert import BertNormalizer
from minillm.tokenizers.normalizers.charsmap import Precompiled, stretch
from minillm.tokenizers.normalizers.charsmap_rules import named_charsmap
from minillm.tokenizers.normalizers.rewriting import Replace
from minillm.tokenizers.normalizers.unicode_forms import (
    FORMS,
    UnicodeForm,
    composed,
    decompositions,
    places,
)
from minillm.tokenizers.patterns.named_rules import spans

from ..texts import random_texts

RANGES = [(0, 0x250), (0x300, 0x370), (0x600, 0x620), (0x900, 0x980), (0x1100, 0x1200),
          (0x1E00, 0x1F00), (0x3000, 0x3100), (0xAC00, 0xAC40), (0xFB00, 0xFB10), (0xFF00, 0xFFE0),
          (0x1D15E, 0x1D166), (0x1F1E6, 0x1F1EA), (0x1F466, 0x1F46A)]
MARKS = "ab \u0301\u0323é中，\r\n\u200dㄱ\ud800"


def texts():
    rng = random.Random(0)
    anywhere = [chr(code) for first, end in RANGES for code in range(first, end)]
    return [*random_texts(200), *(
        "".join(rng.choices(letters, k=rng.randrange(12))) for _ in range(1200)
        for letters in (anywhere, MARKS)
    )]


def by_definition(normalizer, text):
    """(character, place) of all that a normalizer makes."""
    if isinstance(normalizer, BertNormalizer):
        return normalizer.steps(text)
    changes = decompositions(text, "K" in normalizer.form)
    changes = composed(changes) if normalizer.form.endswith("C") else changes
    return [(character, k) for (character, _), k in zip(changes, places(changes))]


@pytest.mark.parametrize("normalizer", [
    *map(UnicodeForm, FORMS), BertNormalizer(), BertNormalizer(False, False, True, False),
    BertNormalizer(lowercase=False),
], ids=str)
def test_characters_and_places(normalizer):
    for text in texts():
        expected = by_definition(normalizer, text)
        new, sources = normalizer.aligned(text)
        assert new == normalizer(text) == "".join(character for character, _ in expected)
        assert sources.tolist() == [[k, k + 1] for _, k in expected], text


@pytest.mark.parametrize("name", ["nmt_nfkc", "nfkc_cf"])
def test_rules_and_graphemes(name):
    normalizer = Precompiled(named_charsmap(name))
    for text in texts():
        whole = stretch(normalizer, text)
        new, sources = normalizer.aligned(text)
        assert new == normalizer(text) == whole[0], text
        assert np.array_equal(sources, whole[1]), text


@pytest.mark.parametrize("step", [
    Replace(" ", "▁"), Replace("a", "xyz"), Replace("[ab]+", ""), Replace("ab", "é"),
    Replace("(?=b)", "-", "oniguruma"),
], ids=str)
def test_replacements(step):
    for text in texts()[::5]:
        made, sources, position = [], [], 0
        for start, end in [*spans(text, step.pattern, step.dialect), (len(text), len(text) + 1)]:
            made += [text[position:start], step.content * (end <= len(text))]
            sources += [[k, k + 1] for k in range(position, start)]
            sources += [[max(end - 1, 0), end]] * (len(step.content) * (end <= len(text)))
            position = end
        new, found = step.aligned(text)
        assert new == step(text) == "".join(made)
        assert found.tolist() == sources, text
