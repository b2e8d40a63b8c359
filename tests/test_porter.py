"""Porter's stemmer on the examples of his paper of 1980, step by step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm import porter

PLURALS = "caresses caress, ponies poni, ties ti, caress caress, cats cat"
PAST = (
    "feed feed, agreed agree, plastered plaster, bled bled, motoring motor, sing sing, "
    "conflated conflate, troubled trouble, sized size, hopping hop, tanned tan, falling fall, "
    "hissing hiss, fizzed fizz, failing fail, filing file"
)
STEP_2 = (
    "relational relate, conditional condition, rational rational, valenci valence, "
    "hesitanci hesitance, digitizer digitize, conformabli conformable, radicalli radical, "
    "differentli different, vileli vile, analogousli analogous, vietnamization vietnamize, "
    "predication predicate, operator operate, feudalism feudal, decisiveness decisive, "
    "hopefulness hopeful, callousness callous, formaliti formal, sensitiviti sensitive, "
    "sensibiliti sensible"
)
STEP_3 = (
    "triplicate triplic, formative form, formalize formal, electriciti electric, "
    "electrical electric, hopeful hope, goodness good"
)
STEP_4 = (
    "revival reviv, allowance allow, inference infer, airliner airlin, gyroscopic gyroscop, "
    "adjustable adjust, defensible defens, irritant irrit, replacement replac, adjustment adjust, "
    "dependent depend, adoption adopt, homologou homolog, communism commun, activate activ, "
    "angulariti angular, homologous homolog, effective effect, bowdlerize bowdler"
)
STEP_5 = "probate probat, rate rate, cease ceas, controll control, roll roll"
WHOLE = (
    "generalizations gener, oscillators oscil, happy happi, sky sky, connecting connect, "
    "connection connect, relational relat, is is, tokenization token, running run"
)


@pytest.mark.parametrize(("step", "examples"), [
    (porter.plurals, PLURALS), (porter.past_and_progressive, PAST),
    (lambda word: porter.replace_longest(word, porter.STEP_2, 1), STEP_2),
    (lambda word: porter.replace_longest(word, porter.STEP_3, 1), STEP_3),
    (lambda word: porter.replace_longest(word, porter.STEP_4, 2), STEP_4),
    (porter.last_letters, STEP_5), (porter.stem, WHOLE),
])
def test_examples(step, examples):
    for example in examples.split(", "):
        word, expected = example.split()
        assert step(word) == expected


def test_measures():
    examples = ["tr ee tree y by", "trouble oats trees ivy", "troubles private oaten"]
    for m, words in enumerate(examples):
        assert {porter.measure(word) for word in words.split()} == {m}


@given(st.text("aeioubcdlrstyz", max_size=12))
def test_any_word_has_a_stem(word):
    assert len(porter.stem(word)) <= len(word) + 1


@pytest.mark.parity
def test_parity_with_nltk():
    nltk = pytest.importorskip("nltk.stem")
    theirs = nltk.PorterStemmer(mode="ORIGINAL_ALGORITHM")
    for word in ("possibly", "flies", "dying", "replied", "humbly", "sensational", "plotted"):
        assert porter.stem(word) == theirs.stem(word)
