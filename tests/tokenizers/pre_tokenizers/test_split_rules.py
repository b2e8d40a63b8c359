"""Split rules: the regular expressions, the scanners, and other libraries find the same pieces."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.tokenizers.patterns.named_rules import PATTERNS, RULES, compiled, rule_of
from minillm.tokenizers.pre_tokenizers.split_rules import split
from minillm.tokenizers.text.segments import as_utf8
from minillm.tokenizers.text.unicode_classes import class_table

from ..texts import plain, text

numba = pytest.importorskip("numba", reason="compares kernels with definitions")


def scan(source: str, rule: str) -> list[str]:
    from minillm.tokenizers.pre_tokenizers.scanning_kernel import piece_ends

    data = np.frombuffer(source.encode(), np.uint8)
    ends = np.empty(len(data) + 1, np.int64)
    whole = np.array([[0, len(data)]], np.int64)
    count = piece_ends(data, whole, RULES.index(rule), class_table(), ends)
    edges = [0, *ends[:count].tolist()]
    return [data[i:j].tobytes().decode() for i, j in pairwise(edges)]


def scan_plain(source: str, rule: str, after: str = "") -> list[str]:
    """Pieces of `source`, which `after` follows in memory, found 32 bytes at a time if possible."""
    from minillm.tokenizers.pre_tokenizers.ascii_kernel import BLOCK, plain_length
    from minillm.tokenizers.text.machine_kernel import njit

    global _plain
    if _plain is None:
        _plain = njit(lambda data, i, stop, rule: plain_length(data, i, stop, rule))
    data, stop = np.frombuffer((source + after).encode(), np.uint8), len(source.encode())
    pieces, i = [], 0
    while i < stop:
        rest = data[i:stop].tobytes().decode()
        length = 0
        if i + BLOCK <= len(data):
            length = _plain(data, i, stop, RULES.index(rule))
        length = length or len(scan(rest, rule)[0].encode())
        pieces.append(data[i : i + length].tobytes().decode())
        i += length
    return pieces


_plain = None
TABLE = [
    ("I'm  x\n\n y", "I|'m| | x|\n\n| y", "I|'m| | x|\n\n| y", "I'm| | x|\n\n| y"),
    ("\tfoo(bar)", "\t|foo|(|bar|)", "\tfoo|(bar|)", "\tfoo|(bar|)"),
    ("HTTPServer's 中A", "HTTPServer|'s| 中A", "HTTPServer|'s| 中A", "HTTPServer's| 中|A"),
    ("12345 /\n", "12345| /|\n", "123|45| /\n", "123|45| /\n"),
]


@pytest.mark.parametrize(("source", "gpt2", "cl100k", "o200k"), TABLE)
def test_known_splits(source, gpt2, cl100k, o200k):
    for rule, expected in (("gpt2", gpt2), ("cl100k", cl100k), ("o200k", o200k)):
        assert split(source, rule) == expected.split("|")
        assert scan(source, rule) == expected.split("|")


def test_the_two_cl100k_rules_differ_at_the_end_of_text():
    assert split("a\n  ", "cl100k") == ["a", "\n  "]
    assert split("a\n  ", "cl100k_original") == ["a", "\n", "  "]


def test_classes_are_those_of_unicode_16():
    table = class_table()
    letters = np.isin(table, [1, 2, 3]).sum()
    assert (letters, (table == 5).sum(), (table == 6).sum()) == (141_028, 1_911, 25)


@settings(max_examples=400)
@given(text)
def test_scanner_equals_definition(source):
    for rule in PATTERNS:
        assert scan(source, rule) == split(source, rule), rule


@settings(max_examples=250)
@given(plain)
def test_plain_scanner_equals_definition(source):
    for rule in PATTERNS:
        assert scan_plain(source, rule) == split(source, rule), rule


@given(text)
def test_pieces_give_the_text_back(source):
    for rule in PATTERNS:
        assert "".join(split(source, rule)) == source


@settings(max_examples=250)
@given(plain, st.data())
def test_plain_scanner_stops_at_the_end_of_a_segment(source, data):
    """What comes after a segment must not change its pieces."""
    cut = data.draw(st.integers(1, len(source)))
    tail = source[cut:] + " " * 40
    for rule in PATTERNS:
        assert scan_plain(source[:cut], rule, tail) == split(source[:cut], rule), rule


def test_long_runs():
    for source in ("a" * 5000, " " * 5000, "\n" * 99 + " " * 99 + "x", "9" * 5000, "中" * 3000):
        for rule in PATTERNS:
            assert scan(source, rule) == split(source, rule)


def test_bad_pattern_is_explained():
    with pytest.raises(ValueError, match="neither a named rule"):
        compiled("(")


def test_spellings_of_other_libraries_are_recognized():
    assert rule_of(PATTERNS["o200k"]) == rule_of("o200k") == "o200k"
    assert rule_of(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
    assert rule_of(r"\w+") is None


def test_surrogates_are_mended_as_tiktoken_does():
    assert as_utf8("a\ud83d\udc4db\ud800") == "a👍b\ufffd".encode()


@pytest.mark.parity
@settings(max_examples=200)
@given(text)
def test_same_pieces_as_hugging_face(source):
    tokenizers = pytest.importorskip("tokenizers")
    for rule, pattern in PATTERNS.items():
        pattern = pattern.replace(r"\Z", r"\z")
        theirs = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
        assert [piece for piece, _ in theirs.pre_tokenize_str(source)] == split(source, rule)
