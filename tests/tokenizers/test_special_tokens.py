"""Special tokens that are looked for in normalized text, in every mode of ``special=``."""

import random
import re
from itertools import pairwise

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.bpe.character_bpe import CharacterBPE
from minillm.tokenizers.normalizers.rewriting import Lowercase
from minillm.tokenizers.special_tokens import TokenRule
from minillm.tokenizers.text.alternatives import DEEPEST, one_of, pattern_of

LETTERS = {letter: k for k, letter in enumerate(" abcdefghijklmnopqrstuvwxyz")}


def letters():
    """A model with one id for each letter."""
    return CharacterBPE([letter.encode() for letter in LETTERS], np.empty((0, 3), int), suffix="")


def tokenizer(normalizer=None):
    """RAW is found in raw text, NORM and WORD in normalized text."""
    specials = {"RAW": 40, "NORM": 41, "WORD": 42}
    return Tokenizer(letters(), normalizer, special_tokens=specials, token_rules={
        "NORM": TokenRule(normalized=True),
        "WORD": TokenRule(normalized=True, ordinary=True, single_word=True),
    })


def spelled(text):
    return [LETTERS[letter] for letter in text]


def test_normalized_form_is_found():
    tok = tokenizer(Lowercase())
    ids = [*spelled("a "), 41, *spelled(" b")]
    for text in ("a NORM b", "a norm b", "A Norm B"):
        assert tok.encode(text, special="allow") == ids
        assert tok.encode_with_offsets(text, special="allow")[1][2] == (2, 6)
    assert tok.decode([41]) == "norm"
    assert tok.token_to_id("NORM") == 41


def test_raw_tokens_are_found_first_and_only_as_they_stand():
    tok = tokenizer(Lowercase())
    assert tok.encode("RAW", special="allow") == [40]
    assert tok.encode("raw", special="allow") == spelled("raw")
    assert tok.encode("NORAWRM", special="allow") == [*spelled("no"), 40, *spelled("rm")]
    offsets = tok.encode_with_offsets("xRAWnormRAWy", special="allow")[1]
    assert offsets == [(0, 1), (1, 4), (4, 8), (8, 11), (11, 12)]


def test_modes():
    tok = tokenizer(Lowercase())
    with pytest.raises(ValueError, match="norm"):
        tok.encode("a Norm")
    with pytest.raises(ValueError, match="RAW"):
        tok.encode("a RAW")
    assert tok.encode("a Norm", special="text") == spelled("a norm")
    assert tok.encode("a Word", special="text") == [*spelled("a "), 42]
    assert tok.encode("a Word") == [*spelled("a "), 42]
    assert tok.encode("swords", special="text") == spelled("swords")


def test_without_normalizer_two_rounds_in_raw_text():
    tok = tokenizer()
    assert tok.encode("aNORMb", special="allow") == [*spelled("a"), 41, *spelled("b")]
    assert tok.encode("norm", special="allow") == spelled("norm")
    assert tok.encode_with_offsets("aRAWaNORM", special="allow")[1][-1] == (5, 9)
    assert tok.decode([41]) == "NORM"


def test_batch_equals_one_by_one():
    tok = tokenizer(Lowercase())
    texts = ["", "norm", "a word", "RAW", "xRAWNorm word y", "plain", "A"]
    ids, offsets = tok.encode_batch(texts, special="allow")
    for k, text in enumerate(texts):
        assert ids[offsets[k] : offsets[k + 1]].tolist() == tok.encode(text, special="allow")
    assert ids.dtype == np.int32


def test_a_normalizer_of_the_users_own_needs_aligned_for_offsets():
    tok = Tokenizer(letters(), str.lower)
    assert tok.encode("A") == spelled("a")
    with pytest.raises(TypeError, match="aligned"):
        tok.encode_with_offsets("A")


def test_a_special_token_is_found_by_its_text_and_by_its_bytes():
    tok = tokenizer(Lowercase())
    for token, id in tok.special_tokens.items():
        assert tok.token_to_id(token) == tok.token_to_id(token.encode()) == id
        assert tok.token_to_id(tok.id_to_bytes(id)) == id
    assert tok.token_to_id(b"a") == tok.token_to_id("a") == LETTERS["a"]
    assert tok.token_to_id(b"\xff") is None


def test_the_search_for_many_tokens_is_leftmost_and_longest():
    """Alternatives that share their beginnings find what a plain list, the longest first, finds."""
    rng = random.Random(0)
    for depth in (1, 3, 40):
        for _ in range(60):
            forms = {"".join(rng.choices("ab\n.", k=rng.randrange(1, 6))) for _ in range(20)}
            plain = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
            found = re.compile(one_of(sorted(forms), 0, DEEPEST - depth))
            text = "".join(rng.choices("ab\n.x", k=60))
            assert [m.span() for m in found.finditer(text)] == [
                m.span() for m in plain.finditer(text)]
    runs = frozenset("\n" * k for k in range(1, 300))  # groups in one another end somewhere
    assert pattern_of(runs).split("a" + "\n" * 250 + "b") == ["a", "\n" * 250, "b"]
    assert pattern_of(frozenset()).split("abc") == ["abc"]


@pytest.mark.parametrize("normalized", [False, True])
def test_many_texts_are_cut_as_each_alone(normalized):
    """Tokens that touch, that begin and end a text, that are part of others; texts without any."""
    specials = {"<a>": 40, "<a>b": 41, "b": 42, "\n\n": 43}
    rules = {"b": TokenRule(ordinary=True, normalized=normalized),
             "\n\n": TokenRule(ordinary=True)}
    tok = Tokenizer(letters(), special_tokens=specials, token_rules=rules)
    texts = ["<a>", "c<a>bb", "cc", "", "<a><a>\n\nc\n\n", "b c b", "\n\n", "c"]
    for special in ("allow", {"<a>": "allow", "<a>b": "text"}):
        kept = [text for text in texts if "<" not in text or special == "allow"]
        expected = [tok.encode_with_offsets(text, special)[0] for text in kept]
        ids, offsets = tok.encode_batch(kept, special)
        assert [ids[i:j].tolist() for i, j in pairwise(offsets)] == expected
    assert tok.encode("c<a>bb c\n\n", "allow") == [3, 41, 42, 0, 3, 43]
    with pytest.raises(ValueError, match="'<a>b' at character 1"):
        tok.encode_batch(["c", "c<a>b"])
    with pytest.raises(TypeError, match="text=5 is a int"):
        tok.encode_batch(["<a>", 5], "allow")


def test_tokens_with_rules_are_found_in_a_batch():
    rules = {"ab": TokenRule(single_word=True), "c": TokenRule(lstrip=True)}
    tok = Tokenizer(letters(), special_tokens={"ab": 40, "c": 41}, token_rules=rules)
    for texts in (["d", "e e"], ["d", "dab", "ab d", "e  c"]):
        expected = [tok.encode_with_offsets(text, "allow")[0] for text in texts]
        ids, offsets = tok.encode_batch(texts, "allow")
        assert [ids[i:j].tolist() for i, j in pairwise(offsets)] == expected


def test_texts_with_halves_of_characters_are_not_taken_for_two():
    finder = tokenizer()._finder
    assert finder.split_all(["a\ud800", "b"], "allow", False) == (
        ["a\ud800", "b"], [None, None])
    assert finder.split_all(["a\ud800RAW", "b"], "allow", False) is None
    with pytest.raises(ValueError, match="half a character"):
        Tokenizer(letters(), special_tokens={"a\ud800b": 40})


def test_of_several_texts_with_a_token_the_first_is_named(monkeypatch):
    """Blocks of a batch are encoded by several threads, which come to an error in any order."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    monkeypatch.setattr("minillm.tokenizers.tokenizer.blocks_of", lambda some: [[t] for t in some])
    tok = tokenizer()
    for _ in range(30):
        with pytest.raises(ValueError, match="at character 20000"):
            tok.encode_batch(["a" * 30, "b" * 20_000 + "RAW", "a" * 40 + "NORM", "RAW", "NORM"])
