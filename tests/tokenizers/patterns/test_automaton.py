"""Patterns as tables: they cut every text as the regular expression engine does."""

import random
import re

import numpy as np
import pytest

from minillm.tokenizers import Cut, CutInTurn, Split
from minillm.tokenizers.patterns.automaton import NoAutomatonError, automaton_of
from minillm.tokenizers.patterns.named_rules import PATTERNS
from minillm.tokenizers.pre_tokenizers.behaviors import BEHAVIORS, digits, punctuation
from minillm.tokenizers.pre_tokenizers.cutting_many import cutter_of
from minillm.tokenizers.text.segments import joined_texts

from ..texts import random_texts
from .test_patterns import KIMI

DEEPSEEK = (
    r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
ODD = (
    r"a+?b|a+", r"a{2,3}?b|.", r"a{1,3}+a|b+", r"a*+b", r"a?+ab|ab|b", r"(?>a{2,3}?)b|a",
    r"(?<=a)b+|a", r"(?<!a)b|b\B", r"\ba+\b|b+", r"^a+|b$|a", r"(?m)^[ab]+$|\n", r"a(?=b|$)|b",
    r"a(?!b+)|b(?<=b)", r"(?:ab|a)(?:c|bcd)?|.", r"(?:a|ab)(?:c|bcd)|b", r"ab|a|b\d?(?!\d)|\d+",
    r"\w+|[^\w\s]+", r"(?i)ſs|k+", r"x|yy*?z",
)


def pieces_by_text(stage, texts):
    return [[bytes(stage(text).data[i:j]).decode() for i, j in stage(text).spans.tolist()]
            for text in texts]


def pieces_at_once(stage, texts):
    data, segments = joined_texts(texts)
    data, spans, counts, _ = cutter_of(stage)(data, segments, np.ones(len(segments), int))
    found = iter([bytes(data[i:j]).decode() for i, j in spans.tolist()])
    return [[next(found) for _ in range(count)] for count in counts.tolist()]


def small_texts(count=400):
    """Few characters, so that patterns meet what they speak of."""
    rng = random.Random(0)
    return ["".join(rng.choices("aabbxyzcdkKſs1 \né中", k=rng.randrange(0, 12)))
            for _ in range(count)] + ["", "a", "\n"]


@pytest.mark.parametrize("pattern", [*PATTERNS, QWEN, KIMI, *DEEPSEEK])
@pytest.mark.parametrize("gaps", ["drop", "keep"])
def test_rules_of_models(pattern, gaps):
    stage = Split(pattern, gaps=gaps)
    texts = [*random_texts(300), *small_texts(100)]
    assert pieces_at_once(stage, texts) == pieces_by_text(stage, texts)


@pytest.mark.parametrize("pattern", ODD)
def test_order_greed_and_looks(pattern):
    """The first alternative that works, as often or as rarely as asked, and what stands around."""
    stage = Split(pattern, gaps="keep")
    texts = small_texts()
    assert pieces_at_once(stage, texts) == pieces_by_text(stage, texts)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("behavior", BEHAVIORS)
@pytest.mark.parametrize("pattern", ["a", "[ab]", r"\s+", "bb|b", "中"])
def test_behaviors(pattern, behavior, invert):
    stage = Cut(pattern, behavior, invert)
    assert pieces_at_once(stage, small_texts()) == pieces_by_text(stage, small_texts())


@pytest.mark.parametrize("stage", [
    CutInTurn(tuple(Split(pattern, gaps="keep") for pattern in DEEPSEEK)),
    CutInTurn((digits(each=True), punctuation("MergedWithPrevious"), Split("gpt2"))),
    CutInTurn((Cut(r"\s", "Removed"), CutInTurn((punctuation(),)))), None,
])
def test_several_in_turn(stage):
    texts = [*random_texts(300), *small_texts(100)]
    whole = [[text] if text else [] for text in texts]
    assert pieces_at_once(stage, texts) == (pieces_by_text(stage, texts) if stage else whole)


def test_text_that_would_be_lost_is_refused():
    stage = Split(r"\w+", gaps="refuse")
    assert pieces_at_once(stage, ["ab", "c"]) == [["ab"], ["c"]]
    with pytest.raises(ValueError, match="text has ' ' at character 1"):
        pieces_at_once(stage, ["ab", "c d"])


def test_room_for_many_pieces():
    """One piece a byte is more than is made room for at first."""
    stage = Split("a", gaps="keep")
    assert pieces_at_once(stage, ["aaaa" * 500, "b", "a" * 999]) == [
        ["a"] * 2000, ["b"], ["a"] * 999]


@pytest.mark.parametrize(("pattern", "why"), [
    ("a*", "no characters at all"), (r"(?=a\d)a", "further than one"), (r"(?>ab|a)b", "atomic"),
    (r"(?:[a-z]{30}){200}", "more than 4000 parts"),
    ("(?:" + "|".join(f"[{chr(k)}-z]" for k in range(0x100, 0x300)) + ")", None),
])
def test_what_has_no_table(pattern, why):
    if why is None:  # ranges whose ends are in the wrong order: refused when it is read
        with pytest.raises(ValueError, match="from a character to a later one"):
            Split(pattern)
        return
    with pytest.raises(NoAutomatonError, match=why):
        automaton_of(pattern)
    with pytest.raises(NoAutomatonError, match="function cuts text by text"):
        cutter_of(lambda text: text)


def test_too_many_classes():
    pattern = "|".join(f"{re.escape(chr(k))}+" for k in range(0x400, 0x520))
    with pytest.raises(NoAutomatonError, match="255 classes"):
        automaton_of(pattern)


def test_by_hand():
    """ab|a+ as a table: what stands in it can be read."""
    classes, table, starts, width, behind = automaton_of("ab|a+")
    a, b, other, end = classes[ord("a")], classes[ord("b")], classes[ord("c")], width - 1
    assert len({a, b, other, end}) == 4
    assert not behind
    rows = table.reshape(-1, width)
    first = rows[starts[0]]
    assert first[[b, other, end]].tolist() == [0, 0, 0]
    assert first[a] & 1 == 0
    second = rows[first[a] >> 1]  # after a: b, more of a, or a match that ends here
    assert (second[[other, end]] == 1).all()
    assert second[a] & 1 == 1
    assert rows[second[b] >> 1].tolist() == [1] * width  # after ab: a match, and nothing goes on
    assert table.dtype == "int32"
