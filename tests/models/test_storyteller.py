"""The storyteller that comes with the package, and its recipe."""

from __future__ import annotations

import numpy as np
import pytest

from minillm import storyteller as recipe
from minillm.data import DataLoader, stories
from minillm.models import storyteller
from minillm.models.pretrained import STORYTELLERS
from minillm.training import load_checkpoint

both = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.mark.parametrize(("language", "highest"), [("en", 1.02), ("zh", 1.03)])
def test_loss_is_near_the_floor_and_never_below(language: str, highest: float) -> None:
    """On stories it has not been trained on; both numbers are of the same stories."""
    model, tokenizer = storyteller(language)
    found = recipe.measure(model, tokenizer, count=1000, samples=50, language=language)
    assert 1 <= found.ratio < highest  # 1.014 and 1.021
    assert found.parsed >= 0.5  # 0.76 and 0.64 of 500 samples; 50 samples only here


@both
def test_files_are_small_and_match(language: str) -> None:
    model, tokenizer = storyteller(language)
    assert model.config.vocab_size == tokenizer.vocab_size
    assert STORYTELLERS[language].stat().st_size < 4_000_000
    state = load_checkpoint(STORYTELLERS[language]).state
    assert state["steps"] == recipe.STEPS[language]
    assert len(state["losses"]) == state["steps"] // state["every"]
    assert state["losses"][0] > 3 * state["losses"][-1]


def test_the_default_is_english() -> None:
    english, tokenizer = storyteller()
    assert np.array_equal(english.weights, storyteller("en")[0].weights)
    assert tokenizer.vocab_size != storyteller("zh")[1].vocab_size
    with pytest.raises(ValueError, match="language='fr' has no storyteller; use 'en' or 'zh'"):
        storyteller("fr")


@pytest.mark.parametrize(("language", "space"), [("en", " "), ("zh", "")])
def test_tokenizer_knows_every_name(language: str, space: str) -> None:
    """Names are whole tokens, so that attention can look for them."""
    _, tokenizer = storyteller(language)
    for person in stories.grammar(language, "small").lists["person"]:
        assert tokenizer.token_to_id(space + person["name"]) is not None
    for text in stories.corpus(50, 3, language, "small"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


@both
def test_a_short_run_is_repeatable(language: str) -> None:
    """The recipe depends on its seeds only."""
    first, _, trainer = recipe.train(steps=3, progress=False, language=language)
    second, _, _ = recipe.train(steps=3, progress=False, language=language)
    assert trainer.step == 3
    assert np.array_equal(first.weights, second.weights)


def test_shortened_batches_lose_no_label() -> None:
    _, tokenizer = storyteller()
    data = recipe.dataset(list(stories.corpus(40, size="small")), tokenizer)
    whole = DataLoader(data, 4, 176, windows="documents", shuffle=False)
    short = recipe.Shortened(DataLoader(data, 4, 176, windows="documents", shuffle=False))
    for (x, y), (a, b) in zip(whole, short, strict=True):
        assert (y != -100).sum() == (b != -100).sum()
        assert (b[:, -1] != -100).any()
        assert np.array_equal(x[:, : a.shape[1]], a)


def test_alike_keeps_every_text() -> None:
    _, tokenizer = storyteller()
    texts = list(stories.corpus(130, size="small"))
    other = recipe.alike(texts, tokenizer, batch=4)
    assert sorted(other) == sorted(texts)
    lengths = [len(tokenizer.encode(text)) for text in other]
    spread = [max(lengths[i : i + 4]) - min(lengths[i : i + 4]) for i in range(0, 128, 4)]
    assert np.mean(spread) < 0.3 * (max(lengths) - min(lengths))
