"""The story grammar: exact probabilities, parsing, unambiguity."""

import hashlib
import itertools
import math
import random
import statistics

import numpy as np
import pytest
from letters import Letters

from minillm.data import stories
from minillm.data.stories import END, Grammar
from minillm.data.stories.proof import ambiguities

ALL = list(itertools.product(("en", "zh"), ("small", "full")))
FEELINGS = ("loss", "pity", "fear", "nerves", "bother", "failure", "puzzlement")

TOY = """
list person: name he
  Ann, Anna | she
  Tom | he
list thing: name
  egg, cup, cap
slot hero friend: person
slot thing: thing
step meet
  {Hero} had {thing.a}.
  {Hero} met {friend}.
step more
  {Hero.he} liked {thing.a}.
  -
step last
  {Friend} took the {thing}.
  -
plot one: meet more last
"""


def enumerate_derivations(grammar):
    """Every derivation's (text, probability), by plain recursion – independent of the package's."""

    def write(pieces, bound, p):
        if not pieces:
            yield "", bound, p
            return
        piece, rest = pieces[0], pieces[1:]
        if isinstance(piece, str):
            choices = [(piece, bound, p)]
        else:
            slot, form = piece
            free = [e for e in grammar.lists[grammar.slots[slot]] if e not in bound.values()]
            if slot in bound:
                choices = [(bound[slot][form], bound, p)]
            else:
                choices = [(e[form], {**bound, slot: e}, p / len(free)) for e in free]
        for text, now, q in choices:
            for more, end, r in write(rest, now, q):
                yield text + more, end, r

    def tell(steps, bound, p):
        if not steps:
            yield [], p
            return
        options = grammar.steps[steps[0]]
        for option in options:
            for text, now, q in write(option, bound, p / len(options)):
                for sentences, r in tell(steps[1:], now, q):
                    yield ([text] if text else []) + sentences, r

    for plot in grammar.plots:
        for sentences, p in tell(plot, {}, 1 / len(grammar.plots)):
            yield grammar.joiner.join(sentences), p


@pytest.fixture(scope="module")
def toy():
    return Grammar("en", text=TOY)


def test_a_small_grammar_sums_to_one_and_agrees_with_brute_force(toy):
    found = list(enumerate_derivations(toy))
    texts = [text for text, _ in found]
    assert len(set(texts)) == len(texts) == toy.count()
    assert sum(p for _, p in found) == pytest.approx(1, abs=1e-12)
    for text, p in found:
        assert toy.log_probability(text) == pytest.approx(math.log(p), abs=1e-12)
    entropy = -sum(p * math.log(p) for _, p in found)
    assert toy.entropy() == pytest.approx(entropy, rel=1e-12)
    assert toy.expected_characters() == pytest.approx(sum(p * len(t) for t, p in found), rel=1e-12)
    counts = {}
    for text, p in found:
        k = text.count(".")
        counts[k] = counts.get(k, 0) + p
    assert toy.sentence_distribution() == pytest.approx(counts, abs=1e-12)


def test_position_is_the_longest_beginning_of_any_story(toy):
    """`agreed` against brute force over all stories, on damaged ones."""
    texts = [text for text, _ in enumerate_derivations(toy)]
    known = set(texts)
    rng = random.Random(5)
    for text in rng.sample(texts, 60):
        at = rng.randrange(len(text))
        head, tail = text[:at], text[at + 1 :]
        for damaged in (head, head + "q" + tail, text + " Tom", head + "a"):
            if damaged in known:
                continue
            longest = 0
            for other in texts:
                same = itertools.takewhile(lambda ab: ab[0] == ab[1], zip(other, damaged))
                longest = max(longest, sum(1 for _ in same))
            result = toy.parse(damaged)
            assert not result.ok
            assert result.agreed == longest, (damaged, result)
            assert result.position <= longest
            assert toy.log_probability(damaged) == -math.inf
            if damaged[: result.position] in known:
                assert END in result.expected
            for word in result.expected:  # each expected word really can follow
                if word != END:
                    begin = damaged[: result.position] + word
                    assert any(t.startswith(begin) for t in texts), (damaged, result)


def test_the_proof_finds_ambiguities():
    assert ambiguities(Grammar("en", text=TOY)) == []
    same_text = TOY.replace("{Hero} met {friend}.", "{Hero} had an egg.")
    assert ambiguities(Grammar("en", text=same_text))
    pronoun_first = TOY.replace("{Hero} met {friend}.", "{Hero.he} ran.")
    assert ambiguities(Grammar("en", text=pronoun_first))  # "She ran." – Ann or Anna?
    beginning = TOY.replace("{Hero} met {friend}.", "{Hero} had {thing.a}. Oh.")
    assert ambiguities(Grammar("en", text=beginning))
    doubled = TOY.replace("egg, cup", "egg, egg")
    assert ambiguities(Grammar("en", text=doubled))


@pytest.mark.parametrize(("language", "size"), ALL)
def test_the_stored_grammars_are_unambiguous(language, size):
    grammar = stories.grammar(language, size)
    assert ambiguities(grammar) == []
    assert grammar.count() > 10**12
    assert min(grammar.sentence_distribution()) >= 5
    assert max(grammar.sentence_distribution()) <= 12
    assert sum(grammar.sentence_distribution().values()) == pytest.approx(1)


@pytest.mark.parametrize(("language", "size"), ALL)
def test_every_sample_parses_and_entropy_is_the_mean(language, size):
    n = 10_000 if size == "small" else 6000
    grammar = stories.grammar(language, size)
    surprise = []
    for text in grammar.corpus(n, seed=11):
        derivations = list(grammar.derivations(text))
        assert len(derivations) == 1
        surprise.append(-derivations[0][1])
    error = statistics.stdev(surprise) / n**0.5
    assert abs(statistics.mean(surprise) - grammar.entropy()) < 4 * error
    assert error / grammar.entropy() < 0.003


@pytest.mark.parametrize(("language", "size"), ALL)
def test_bindings_are_those_of_the_story(language, size):
    for seed in range(50):
        text = stories.sample(seed, language, size)
        result = stories.parse(text, language, size)
        assert result.ok
        assert result.position == len(text)
        assert result.log_probability == stories.log_probability(text, language, size)
        hero = result.bindings["hero"]
        assert text.count(hero) >= 2
        felt = [slot for slot in result.bindings if slot in FEELINGS]
        assert felt
        assert all(result.bindings[slot] in text for slot in felt)
        assert result.bindings["friend"] != hero


def test_a_wrong_name_leaves_the_grammar_at_that_name():
    text = stories.sample(3, "en", "small")
    hero = stories.parse(text, "en", "small").bindings["hero"]
    other = "Ben" if hero != "Ben" else "Max"
    at = text.rindex(hero)
    result = stories.parse(text[:at] + other + text[at + len(hero) :], "en", "small")
    assert not result.ok
    assert result.position == at
    assert hero in result.expected


@pytest.mark.parametrize(("language", "size"), ALL)
def test_damage_is_noticed_where_it_is(language, size):
    grammar = stories.grammar(language, size)
    rng = random.Random(2)
    for text in grammar.corpus(100, seed=5):
        at = rng.randrange(len(text))
        result = grammar.parse(text[:at] + "#" + text[at + 1 :])
        assert not result.ok
        assert result.agreed == at
        assert result.position <= at
        assert result.expected
        cut = grammar.parse(text[:at])
        if cut.ok:  # a story without its last sentence may be one, too
            continue
        assert cut.position == cut.agreed == at
        assert any(text[at:].startswith(word) for word in cut.expected)


def test_english_articles_pronouns_and_capitals():
    for text in stories.corpus(2000, seed=1):
        assert " a a" not in text.replace(" a as", "")
        assert not any(f" an {c}" in text for c in "bcdfgjklmnpqrstvwxyz")
        assert all(part[0].isupper() or part[0] == '"' for part in text.split(". "))
        assert text[-1] in '."!'
    assert stories.grammar("en").lists["contest"][0]["a"] == "a running race"


def test_expected_tokens(toy):
    letters = Letters("".join(text for text, _ in enumerate_derivations(toy)))
    mean, error = stories.expected_tokens(toy, letters, samples=50)
    assert mean == pytest.approx(toy.expected_characters() + 1, rel=1e-12)
    assert error < 1e-9
    floor, _ = stories.entropy_per_token(toy, letters, samples=50)
    assert floor == pytest.approx(toy.entropy() / mean, rel=1e-12)

    class Words(Letters):  # one id per word: not proportional to characters
        def encode_batch(self, texts):
            words = [len(text.split()) for text in texts]
            return np.zeros(sum(words), int), np.cumsum([0, *words])

    exact = sum(p * (len(text.split()) + 1) for text, p in enumerate_derivations(toy))
    mean, error = stories.expected_tokens(toy, Words("a"), samples=2000)
    assert 0 < error < 0.05
    assert abs(mean - exact) < 4 * error
    with pytest.raises(ValueError, match="samples=1"):
        stories.expected_tokens(toy, letters, samples=1)


def test_carried_nats():
    """By hand. Of the slots bound by the first sentence, the hero is named again in "more" and
    the other one in "last", each with probability 1/2; every slot has three values."""
    text = TOY.replace("{Hero.he} liked {thing.a}.", "{Hero} slept.")
    before_more = 0.5 * math.log(3) + 0.5 * math.log(3)
    before_last = 0.5 * math.log(3)
    expected = (before_more + before_last) / 2
    assert stories.carried_nats(Grammar("en", text=text)) == pytest.approx(expected)


def test_seeds():
    assert stories.sample(1) == stories.sample(random.Random(1))
    assert stories.sample(1) != stories.sample(2)
    one = list(stories.corpus(20, seed=4, language="zh"))
    assert one == list(stories.corpus(20, seed=4, language="zh"))
    assert len(set(one)) == 20
    assert list(itertools.islice(stories.corpus(None, seed=4, language="zh"), 20)) == one
    digest = hashlib.sha256("\n".join(stories.corpus(50, 0, "en", "small")).encode()).hexdigest()
    assert digest == DIGEST, "the stories of a seed changed: say so in the changelog"


DIGEST = "6f4c4939062a2d5d536c8fd6026e2081f831e77a7e33250bb1ba1e4237f9b932"


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="language='fr'"):
        Grammar("fr")
    with pytest.raises(ValueError, match="size='tiny'"):
        Grammar("en", "tiny")
    with pytest.raises(ValueError, match="n=-1"):
        list(stories.corpus(-1))
    with pytest.raises(ValueError, match="not a slot"):
        Grammar("en", text="step a\n  {nobody} came.\nplot p: a\n")
    with pytest.raises(ValueError, match="which is not defined"):
        Grammar("en", text="plot p: a\n")
    assert not stories.parse("").ok
    assert stories.parse("").position == 0
