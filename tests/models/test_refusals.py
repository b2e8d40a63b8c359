"""Sampling and search never return a token that does not exist: limits, or refusals by name."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minillm import backend
from minillm.generation import beam_search, choose, distribution, generate, penalize, stream
from minillm.models import GPT, GPTConfig

INF = np.inf


@pytest.fixture(scope="module")
def model():
    model = GPT(GPTConfig(vocab_size=60, context=16, layers=2, heads=2, width=32), seed=1)
    model.weights *= 8  # far from uniform
    return model


@pytest.mark.parametrize(("logits", "message"), [
    ([0, INF, 1], r"\+inf"), ([INF, INF], r"\+inf"), ([-INF, -INF], "nothing but -inf"),
    ([0, np.nan, 1], "NaN"), ([-INF, np.nan], "NaN"), ([INF, np.nan], "NaN"),
])
@pytest.mark.parametrize("temperature", [0, 1e-310, 1, 1e308])
def test_scores_that_say_nothing_are_refused(logits, message, temperature):
    for settings in ({}, dict(top_k=1), dict(top_p=0.5), dict(top_k=2, top_p=1.0)):
        with pytest.raises(ValueError, match=message):
            choose(np.array(logits), np.random.default_rng(0), temperature, **settings)
        with pytest.raises(ValueError, match=message):
            distribution(np.array([[1, 2, 3][:len(logits)], logits]), temperature, **settings)


@pytest.mark.parametrize("shape", [(), (0,), (1, 3), (2, 3)])
def test_choose_takes_one_row(shape):
    with pytest.raises(ValueError, match=r"logits has shape"):
        choose(np.zeros(shape), np.random.default_rng(0), temperature=0)


class Largest:
    """A source of random numbers that always gives the largest below 1."""

    def random(self):
        return np.nextafter(1.0, 0)


@given(arrays(np.float64, st.integers(1, 9), elements=st.one_of(
           st.floats(-1e308, 1e308), st.sampled_from([-INF, -1e308, 1e308, 0.0, 5e-324]))),
       st.one_of(st.floats(0, 1e308), st.sampled_from([0, 5e-324, 1e-310, 1e-30, 1e308])),
       st.one_of(st.none(), st.integers(1, 20)),
       st.one_of(st.none(), st.floats(0.001, 1), st.just(1.0)))
def test_only_tokens_that_may_follow_are_chosen(logits, temperature, top_k, top_p):
    if (logits == -INF).all():
        logits[0] = -1e308
    p = distribution(logits, temperature, top_k, top_p)
    assert p.sum() == pytest.approx(1)
    assert (p[logits == -INF] == 0).all()
    assert top_k is None or np.count_nonzero(p) <= top_k
    for rng in (Largest(), np.random.default_rng(0)):
        token = choose(logits, rng, temperature, top_k, top_p)
        assert 0 <= token < len(logits)
        assert p[token] > 0


def test_temperature_near_zero_is_greedy_and_a_huge_one_is_uniform():
    logits = np.array([1.0, 3.0, 2.0, -INF])
    for temperature in (5e-324, 1e-310, 1e-100, 1e-4):
        assert distribution(logits, temperature).tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(distribution(logits, 1e308), [1 / 3, 1 / 3, 1 / 3, 0])
    np.testing.assert_allclose(distribution(logits * 1e300, 1e300), distribution(logits))


def test_cuts_count_what_may_follow():
    logits = np.array([np.log(0.5), -INF, np.log(0.3), np.log(0.2), -INF])
    assert np.flatnonzero(distribution(logits, top_k=4)).tolist() == [0, 2, 3]
    assert np.flatnonzero(distribution(logits, top_p=1.0)).tolist() == [0, 2, 3]
    assert np.flatnonzero(distribution(logits, top_k=2, top_p=1.0)).tolist() == [0, 2]


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize(("prompt", "error", "message"), [
    ([-1], ValueError, "prompt 0 holds -1"), ([60], ValueError, r"holds 60, outside \[0, 60\)"),
    ([1, -1], ValueError, "holds -1"), ([1.7], TypeError, r"holds 1\.7"),
    ([1, 2.0], TypeError, r"holds 2\.0"), (["a"], TypeError, "holds 'a'"),
    ("abc", TypeError, "prompt.*'a"), ([True], TypeError, "holds True"),
    ([None], TypeError, "None"),
    ([2**70], ValueError, f"holds {2**70}"), ([[1], [3, -5]], ValueError, "prompt 1 holds -5"),
    ([60, *range(20)], ValueError, "holds 60"), (np.array([1.0]), TypeError, r"1\.0"),
])
def test_prompts_of_no_tokens_are_refused(model, name, cache, prompt, error, message):
    with backend(name):
        for count in (0, 2):
            with pytest.raises(error, match=message):
                model.generate(prompt, count, cache=cache)
        if np.ndim(prompt[0]) == 0:
            with pytest.raises(error, match=message):
                list(stream(model, prompt, 2, cache=cache))
            with pytest.raises(error, match=message.replace("prompt 0", "prompt")):
                beam_search(model, prompt, 2)


@pytest.mark.parametrize("run", [generate, beam_search, lambda *a, **k: list(stream(*a, **k))])
def test_stops_and_counts_are_checked(model, run):
    for stop, error in (((-1,), ValueError), ((60,), ValueError), ((1.5,), TypeError),
                        (("a",), TypeError), ("a", TypeError), ((True,), TypeError)):
        with pytest.raises(error, match="stop"):
            run(model, [1], 3, stop=stop)
    for count in (-1, 2.5, True, None):
        with pytest.raises(ValueError, match="max_new_tokens="):
            run(model, [1], count)
    assert run(model, [1], 5, stop={7, 9}) == run(model, [1], 5, stop=np.array([9, 7]))


def test_seeds(model):
    drawn = [model.generate([1], 40, temperature=20, seed=None) for _ in range(2)]
    assert drawn[0] != drawn[1]
    assert model.generate([1], 5, seed=np.int64(3)) == model.generate([1], 5, seed=3)
    for seed in (-1, 1.0, "1", True):
        with pytest.raises(ValueError, match=f"seed={seed!r}"):
            model.generate([1], 5, seed=seed)
    for beams in (True, 2.5):
        with pytest.raises(ValueError, match=f"beams={beams}"):
            beam_search(model, [1], 2, beams)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_scores_that_overflow_choose_no_token(name):
    model = GPT(GPTConfig(11, 8, 1, 2, 8))
    model.norm.w.value[:] = 3e38
    model.tokens.w.value *= 100
    with backend(name), np.errstate(all="ignore"):
        for settings in (dict(), dict(temperature=0), dict(top_k=3), dict(cache=False)):
            with pytest.raises(ValueError, match="logits holds"):
                generate(model, [1, 2], 2, **settings)
        with pytest.raises(ValueError, match="logits holds"):
            beam_search(model, [1, 2], 2)


class Ruled:
    """A model whose every token may be followed by two others only."""

    config = GPTConfig(6, 8, 1, 1, 1)

    def replica(self):
        return self

    def forward(self, ids):
        ids = np.asarray(ids)
        allowed = (np.arange(6) - ids[..., None]) % 6
        return np.where((allowed == 1) | (allowed == 2), 0.0, -INF)


def test_a_beam_holds_no_impossible_text():
    found = beam_search(Ruled(), [0], 3, beams=20)
    assert len(found) == 8
    assert all(score == pytest.approx(3 * np.log(0.5)) for _, score in found)
    assert sorted(ids[-1] for ids, _ in found) == sorted(
        sum(steps) % 6 for steps in itertools.product((1, 2), repeat=3))
    ended = beam_search(Ruled(), [0], 3, beams=20, stop=(1, 5))
    assert all(np.isfinite(score) for _, score in ended)


def test_penalize_names_what_is_no_token():
    for seen, error in (([-1], ValueError), ([4], ValueError), ([1.5], TypeError), (3, TypeError)):
        with pytest.raises(error, match="seen"):
            penalize(np.zeros(4), seen, 2.0)
    for penalty in (np.inf, np.nan, 0.9):
        with pytest.raises(ValueError, match="penalty="):
            penalize(np.zeros(4), [1], penalty)


@pytest.mark.parametrize("prompts", [
    [1, [2]], [[2], 1], [[1, [2]]], [[1], {2}], 5, None, np.array(5), np.int64(5), {1, 2},
    {1: 2}, (i for i in (1, 2)), [iter((1, 2))], b"ab", [[[1]]], np.ones((1, 1, 1), int),
], ids=[str(k) for k in range(15)])
def test_prompts_of_no_order_are_refused(model, prompts):
    with pytest.raises(TypeError, match=r"^prompt"):
        generate(model, prompts, 3)
    if not isinstance(prompts, list) or isinstance(prompts[0], int):
        for run in (beam_search, lambda *a: list(stream(*a))):
            with pytest.raises(TypeError, match=r"^prompt"):
                run(model, prompts, 3)


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p"])
@pytest.mark.parametrize("value", ["hot", "0.5", [1], 1j, True, None])
def test_settings_that_are_no_numbers_are_refused(model, name, value):
    if value is None and name != "temperature":
        return
    for run in (generate, lambda *a, **k: list(stream(*a, **k))):
        with pytest.raises(ValueError, match=f"^{name}="):
            run(model, [1], 3, **{name: value})
    with pytest.raises(ValueError, match=r"^penalty="):
        penalize([1.0, 2.0], [0], value)


def test_numbers_of_numpy_are_settings(model):
    wanted = generate(model, [1], 9, temperature=0.5, top_p=0.5)
    assert wanted == generate(model, (1,), 9, np.float32(0.5), top_p=np.float16(0.5))
    assert wanted == generate(model, np.array([1]), 9, np.float64(0.5), top_p=0.5)
