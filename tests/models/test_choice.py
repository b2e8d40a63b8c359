"""What else decides on a token: min-p, repetition, forbidden ids, a title kept in sight."""

import numpy as np
import pytest

from minillm.generation import Choice, distribution, generate, penalize, stream
from minillm.generation.scorers import Cached, Uncached, forgotten
from minillm.models import GPT, GPTConfig

MODEL = GPT(GPTConfig(vocab_size=13, context=8, layers=2, heads=2, width=8))
MODEL.weights[:] = np.random.default_rng(1).normal(0, 0.5, MODEL.weights.size)


def test_min_p_keeps_what_is_not_far_behind_the_best():
    logits = np.log([0.5, 0.26, 0.14, 0.1])
    assert np.count_nonzero(distribution(logits, min_p=0.5)) == 2
    np.testing.assert_allclose(distribution(logits, min_p=0.5)[:2], [0.5 / 0.76, 0.26 / 0.76])
    assert np.count_nonzero(distribution(logits, min_p=0.21)) == 3
    assert np.count_nonzero(distribution(logits, min_p=1)) == 1
    np.testing.assert_allclose(distribution(logits, min_p=0), distribution(logits))
    # after top-k and top-p, so that both can only leave less
    assert np.count_nonzero(distribution(logits, top_k=1, min_p=0.1)) == 1
    assert np.count_nonzero(distribution(np.log([[0.9, 0.1], [0.5, 0.5]]), min_p=0.2)) == 3


def slowly(prompt, count, choice, seed=3, context=8):
    """Token after token with nothing remembered: what is seen is cut as the text grows."""
    text, rng = list(prompt), np.random.default_rng([seed, 0])
    for _ in range(count):
        seen = text
        while len(seen) > context:  # the middle goes, half of what is not kept at a time
            hop = (context - choice.keep) // 2
            gone = -(-(len(text) - context) // hop) * hop
            seen = text[:choice.keep] + text[choice.keep + gone:]
        logits = MODEL.forward([seen])[0, -1].astype(float)
        if choice.repetition != 1:
            logits = penalize(logits, seen, choice.repetition)
        for id in choice.forbidden:
            logits[id] = -np.inf
        p = distribution(logits, choice.temperature, choice.top_k, choice.top_p, choice.min_p)
        text.append(int(np.searchsorted(np.cumsum(p), rng.random() * p.sum(), side="right")))
    return text


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("options", [
    {"min_p": 0.3}, {"repetition": 3.0}, {"forbidden": (0, 3, 7)}, {"keep": 3},
    {"min_p": 0.05, "repetition": 1.5, "forbidden": [1], "keep": 4}])
def test_generation_is_that_of_a_loop(options, cache):
    prompt = [5, 2, 9]
    expected = slowly(prompt, 30, Choice(1.0, None, None, **options))
    assert generate(MODEL, prompt, 30, seed=3, cache=cache, **options) == expected
    assert [*prompt, *stream(MODEL, prompt, 30, seed=3, cache=cache, **options)] == expected
    assert not {*options.get("forbidden", ())} & {*expected[3:]}


@pytest.mark.parametrize("keep", [0, 1, 3, 4])
def test_what_is_kept_stays_in_sight(keep):
    scorers = [Uncached(MODEL.replica(), keep), Cached(MODEL.replica(), keep)]
    text = [5, 2, 9, 1]
    for n in range(30):
        a, b = (np.array(scorer([text])) for scorer in scorers)
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
        gone = forgotten(len(text), 8, keep)
        seen = text[:keep] + text[keep + gone:]
        assert len(seen) <= 8
        assert seen[:keep] == text[:keep]
        assert seen[-1] == text[-1]
        text = [*text, n % 13]


@pytest.mark.parametrize(("options", "named"), [
    ({"min_p": 1.5}, "min_p=1.5"), ({"min_p": "x"}, "min_p='x'"), ({"repetition": 0.5}, "0.5"),
    ({"forbidden": range(13)}, "forbidden holds all 13"),
    ({"forbidden": [13]}, "forbidden holds 13"),
    ({"keep": 5}, "keep=5: expected at most half the context of 8"), ({"keep": -1}, "keep=-1")])
def test_settings_that_make_no_sense_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        generate(MODEL, [1], 3, **options)


def test_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match="minp"):
        generate(MODEL, [1], 3, minp=0.1)
