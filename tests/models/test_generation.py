"""Sampling and generation: distributions, the cache, windows, seeds, stops, errors."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minillm.generation import beam_search, choose, distribution, generate, penalize, stream
from minillm.generation.beam import largest
from minillm.generation.scorers import forgotten
from minillm.models import GPT, GPTConfig

LOGITS = np.array([1.0, 3.0, 2.0, -1.0, 3.0])


@pytest.fixture(scope="module")
def model():
    model = GPT(GPTConfig(vocab_size=60, context=16, layers=2, heads=2, width=32), seed=1)
    model.weights *= 8  # far from uniform
    return model


def test_plain_distribution_is_softmax():
    e = np.exp(LOGITS)
    np.testing.assert_allclose(distribution(LOGITS), e / e.sum())


def test_temperature():
    e = np.exp(LOGITS / 0.5)
    np.testing.assert_allclose(distribution(LOGITS, temperature=0.5), e / e.sum())
    assert distribution(LOGITS, temperature=0).tolist() == [0, 1, 0, 0, 0]


def test_top_k_keeps_exactly_k_and_the_smaller_id_at_ties():
    assert np.flatnonzero(distribution(LOGITS, top_k=1)).tolist() == [1]
    assert np.flatnonzero(distribution(LOGITS, top_k=3)).tolist() == [1, 2, 4]
    np.testing.assert_allclose(distribution(LOGITS, top_k=99), distribution(LOGITS))


def test_top_p_keeps_the_fewest_that_reach_p():
    p = np.array([0.5, 0.3, 0.15, 0.05])
    for top_p, kept in ((0.1, 1), (0.5, 1), (0.51, 2), (0.8, 2), (0.81, 3), (1.0, 4)):
        assert np.count_nonzero(distribution(np.log(p), top_p=top_p - 1e-9)) == kept


def test_k_comes_before_p():
    p = np.array([0.4, 0.3, 0.2, 0.1])
    # after k = 2 the first token has 4/7 of the mass, which already reaches p = 0.5
    assert np.count_nonzero(distribution(np.log(p), top_k=2, top_p=0.5)) == 1
    assert np.count_nonzero(distribution(np.log(p), top_p=0.5)) == 2


@given(arrays(np.float64, 12, elements=st.floats(-30, 30)), st.floats(0.1, 3),
       st.one_of(st.none(), st.integers(1, 20)), st.one_of(st.none(), st.floats(0.01, 1)))
def test_distribution_is_a_distribution(logits, temperature, top_k, top_p):
    p = distribution(logits, temperature, top_k, top_p)
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()
    assert p[logits.argmax()] > 0
    assert top_k is None or np.count_nonzero(p) <= top_k


def test_choose_follows_the_distribution():
    rng = np.random.default_rng(0)
    draws = np.bincount([choose(LOGITS, rng, top_k=3) for _ in range(20_000)], minlength=5)
    np.testing.assert_allclose(draws / draws.sum(), distribution(LOGITS, top_k=3), atol=0.01)


@pytest.mark.parametrize("settings", [
    dict(temperature=0), dict(temperature=1.0), dict(temperature=0.7, top_k=5),
    dict(temperature=1.3, top_p=0.8),
])
def test_cache_gives_the_same_tokens(model, settings):
    prompts = [[1, 2, 3], list(range(25)), [7]]  # one is longer than the context
    cached = generate(model, prompts, 40, seed=5, **settings)
    assert cached == generate(model, prompts, 40, seed=5, cache=False, **settings)
    assert [len(row) for row in cached] == [43, 65, 41]
    assert cached[1][:25] == list(range(25))


def test_a_row_does_not_depend_on_its_neighbours(model):
    alone = generate(model, [[1, 2, 3]], 30, seed=2)
    together = generate(model, [[1, 2, 3], [4] * 9, [5]], 30, seed=2)
    assert together[0] == alone[0]


def test_seed_and_interface(model):
    a = model.generate([1, 2], 20, seed=1)
    assert a == model.generate([1, 2], 20, seed=1)
    assert a != model.generate([1, 2], 20, seed=2)
    assert a == [1, 2, *stream(model, [1, 2], 20, seed=1)]
    assert model.generate(np.array([1, 2]), 20, seed=1) == a
    assert model.generate([1, 2], 0) == [1, 2]


def test_stop_tokens_end_a_row(model):
    free = generate(model, [[1, 2], [9]], 30, temperature=0)
    stop = free[0][7]
    ended = generate(model, [[1, 2], [9]], 30, temperature=0, stop=(stop,))
    assert ended[0] == free[0][:free[0].index(stop, 2)]
    expected = free[1][:free[1].index(stop, 1)] if stop in free[1][1:] else free[1]
    assert ended[1] == expected


@pytest.mark.parametrize("context", [1, 2, 7, 16])
def test_visible_part_fits_and_never_goes_back(context):
    starts = [forgotten(n, context) for n in range(1, 100)]
    for n, start in enumerate(starts, 1):
        assert 1 <= n - start <= context
    assert starts == sorted(starts)


@pytest.mark.parametrize(("settings", "message"), [
    (dict(temperature=-1), "temperature=-1"), (dict(temperature=float("nan")), "temperature=nan"),
    (dict(top_k=0), "top_k=0"), (dict(top_k=2.5), "top_k=2.5"), (dict(top_p=0), "top_p=0"),
    (dict(top_p=1.5), "top_p=1.5"), (dict(max_new_tokens=-1), "max_new_tokens=-1"),
])
def test_senseless_settings(model, settings, message):
    settings = {"max_new_tokens": 3} | settings
    with pytest.raises(ValueError, match=message):
        generate(model, [1], **settings)


def test_empty_prompts(model):
    with pytest.raises(ValueError, match="prompt 0 is empty"):
        generate(model, [], 3)
    with pytest.raises(ValueError, match="prompt 1 is empty"):
        generate(model, [[1], []], 3)


def test_stop_must_be_a_sequence(model):
    with pytest.raises(TypeError, match=r"\(7,\)"):
        generate(model, [1], 3, stop=7)


def test_nan_weights_are_reported():
    broken = GPT(GPTConfig(vocab_size=6, context=4, layers=1, heads=1, width=4))
    broken.weights[3] = np.nan
    for temperature in (0, 1):
        with pytest.raises(ValueError, match="NaN"):
            broken.generate([1], 2, temperature=temperature)


def test_penalize():
    logits = np.array([2.0, -1.0, 0.5, -3.0])
    assert penalize(logits, [0, 1, 1], 2.0).tolist() == [1.0, -2.0, 0.5, -3.0]
    assert penalize(logits, [], 2.0).tolist() == logits.tolist()
    assert penalize(logits, [0, 3], 1.0).tolist() == logits.tolist()
    with pytest.raises(ValueError, match=r"penalty=0\.5"):
        penalize(logits, [0], 0.5)


@pytest.fixture(scope="module")
def tiny():
    model = GPT(GPTConfig(vocab_size=4, context=6, layers=1, heads=1, width=8), seed=2)
    model.weights *= 20
    return model


def log_probability(model, ids, start):
    logits = model.forward([ids])[0].astype(np.float64)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return sum(log_p[i - 1, ids[i]] for i in range(start, len(ids)))


def test_a_wide_beam_is_exhaustive_search(tiny):
    found = beam_search(tiny, [1], 4, beams=256)
    every = [[1, *rest] for rest in itertools.product(range(4), repeat=4)]
    scores = {tuple(ids): log_probability(tiny, ids, 1) for ids in every}
    assert len(found) == len(every)
    for ids, score in found:
        assert score == pytest.approx(scores[tuple(ids)], abs=1e-4)
    assert tuple(found[0][0]) == max(scores, key=scores.get)


def test_a_wide_beam_with_stops_is_exhaustive_search(tiny):
    found = beam_search(tiny, [1], 4, beams=400, stop=(3,))
    scores = {}
    for length in range(5):
        for rest in itertools.product(range(3), repeat=length):
            ids = [1, *rest]
            ended = log_probability(tiny, [*ids, 3], 1) if length < 4 else None
            scores[tuple(ids)] = log_probability(tiny, ids, 1) if ended is None else ended
    best = max(scores, key=scores.get)
    assert tuple(found[0][0]) == best
    assert found[0][1] == pytest.approx(scores[best], abs=1e-4)


@pytest.mark.parametrize("alpha", [0.6, 2.0])
def test_a_length_penalty_prefers_longer_texts(tiny, alpha):
    """The best of all texts by log-probability for each token, found with a beam wide enough."""
    scores = {}
    for length in range(5):
        for rest in itertools.product(range(3), repeat=length):
            ids = [1, *rest, 3] if length < 4 else [1, *rest]
            score = log_probability(tiny, ids, 1)
            scores[(1, *rest)] = score, score / ((5 + len(ids) - 1) / 6) ** alpha
    ranked = sorted(scores, key=lambda ids: -scores[ids][1])
    for cache in (True, False):
        found = beam_search(tiny, [1], 4, 400, (3,), alpha, cache)
        assert [tuple(ids) for ids, _ in found[:5]] == ranked[:5]
        assert found[0][1] == pytest.approx(scores[ranked[0]][0], abs=1e-4)
    plain = beam_search(tiny, [1], 4, 400, (3,))[0][0]
    assert len(ranked[0]) >= len(plain)
    for wrong in (-0.1, float("nan"), "1", True):
        with pytest.raises(ValueError, match="alpha="):
            beam_search(tiny, [1], 4, 2, (3,), wrong)


@pytest.mark.parametrize("cache", [True, False])
def test_prompts_side_by_side_get_what_each_gets_alone(tiny, cache):
    prompts = [[1], [2, 0, 1], [3, 3], [0]]
    for beams, alpha in ((1, 0.0), (3, 0.7), (40, 1.0)):
        found = beam_search(tiny, prompts, 3, beams, (3,), alpha, cache)
        for prompt, texts in zip(prompts, found, strict=True):
            alone = beam_search(tiny, prompt, 3, beams, (3,), alpha)
            assert [ids for ids, _ in texts] == [ids for ids, _ in alone]
            for (_, score), (_, expected) in zip(texts, alone, strict=True):
                assert score == pytest.approx(expected, abs=1e-4)
    for prompts, error, message in (([[1], []], ValueError, "prompt is empty"),
                                    ([[1], 2], TypeError, "prompt=2"),
                                    ([[1], [4]], ValueError, "prompt holds 4")):
        with pytest.raises(error, match=message):
            beam_search(tiny, prompts, 3)


@pytest.mark.parametrize("count", [1, 3, 5, 9, 20])
def test_the_largest_come_first_and_of_equal_ones_the_first(count):
    rng = np.random.default_rng(0)
    for x in (rng.normal(size=12), rng.integers(0, 3, 12).astype(float), np.full(12, -np.inf),
              np.where(rng.random(12) < 0.7, -np.inf, 0.5)):
        expected = sorted(range(12), key=lambda i: (-x[i], i))[:count]
        assert largest(x, count).tolist() == expected


def test_one_beam_is_greedy(tiny):
    assert beam_search(tiny, [2], 5, beams=1)[0][0] == generate(tiny, [2], 5, temperature=0)


def test_more_beams_never_find_a_worse_text(tiny):
    scores = [beam_search(tiny, [1], 5, beams=n)[0][1] for n in (1, 4, 1024)]
    assert scores[0] <= scores[2] + 1e-5
    assert scores[1] <= scores[2] + 1e-5


def test_beam_arguments(tiny):
    for arguments, message in (((tiny, [1], 3, 0), "beams=0"), ((tiny, [], 3), "prompt is empty"),
                               ((tiny, [1], 9), "context of this model holds 6")):
        with pytest.raises(ValueError, match=message):
            beam_search(*arguments)


def test_half_a_context_is_forgotten_at_a_time():
    assert [forgotten(n, 10) for n in (1, 10, 11, 15, 16, 20, 21)] == [0, 0, 5, 5, 10, 10, 15]
    assert [forgotten(n, 1) for n in (1, 2, 3)] == [0, 1, 2]


class Markov:
    """The next token depends on the last one alone."""

    config = SimpleNamespace(vocab_size=3, context=8)
    chances = np.log([[1e-9, 0.7, 0.3], [1e-9, 0.1, 0.9], [1, 1, 1]])

    def replica(self):
        return self

    def forward(self, ids):
        return self.chances[ids]


def test_a_beam_goes_on_while_a_running_text_may_overtake():
    """After one step a text has ended with 0.3; the one that goes on ends with 0.7 x 0.9."""
    (ids, score), = beam_search(Markov(), [0], 5, beams=1, stop=[2])
    assert ids == [0, 1]
    assert score == pytest.approx(np.log(0.63))


def test_with_a_length_penalty_it_goes_on_while_a_longer_text_may_overtake():
    """A text ends at once with 0.37; a less probable one, 0.35 x 0.9, has one token more."""
    class Other(Markov):
        chances = np.log([[0.28, 0.35, 0.37], [1e-9, 0.1, 0.9], [1, 1, 1]])

    for alpha, expected in ((0.0, [0]), (2.0, [0, 1])):
        (ids, _), = beam_search(Other(), [0], 5, beams=1, stop=[2], alpha=alpha)
        assert ids == expected
