"""Split rules: the regular expressions, the scanners, and other libraries find the same pieces."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from minillm.tokenizers.patterns.named_rules import PATTERNS, RULES, compiled, rule_of
from minillm.tokenizers.pre_tokenizers.split_rules import split
from minillm.tokenizers.text.segments import as_utf8
from minillm.tokenizers.text.unicode_classes import class_table

from ..texts import text

numba = pytest.importorskip("numba", reason="compares kernels with definitions")


def scan(source: str, rule: str) -> list[str]:
    from minillm.tokenizers.pre_tokenizers.scanning_kernel import piece_ends

    data = np.frombuffer(source.encode(), np.uint8)
    ends = np.empty(len(data) + 1, np.int64)
    whole = np.array([[0, len(data)]], np.int64)
    count = piece_ends(data, whole, RULES.index(rule), class_table(), ends)
    edges = [0, *ends[:count].tolist()]
    return [data[i:j].tobytes().decode() for i, j in pairwise(edges)]


def scan_windows(before: str, source: str, after: str, rule: str) -> tuple[list[str], int]:
    """Pieces of a segment that lies between other text, and how many of them windows told."""
    from minillm.tokenizers.pre_tokenizers.ascii_kernel import Splitting, next_begins, next_piece
    from minillm.tokenizers.text.machine_kernel import lean, trailing_zeros

    global _windows
    if _windows is None:
        @lean
        def _windows(text, i, stop, splitting, ends):
            count, told = 0, 0
            while i < stop:
                window, begins = i, next_begins(text, i, stop, splitting)
                if begins == 0:
                    i += next_piece(text, i, stop, splitting)
                    ends[count] = i
                    count += 1
                while begins:
                    i = window + np.int64(trailing_zeros(begins))
                    ends[count] = i
                    count, told = count + 1, told + 1
                    begins &= begins - np.uint64(1)
            return count, told

    data = np.frombuffer((before + source + after).encode(), np.uint8)
    start = len(before.encode())
    ends = np.empty(len(data) + 1, np.int64)
    splitting = Splitting(RULES.index(rule), class_table())
    count, told = _windows(data, start, start + len(source.encode()), splitting, ends)
    edges = [start, *ends[:count].tolist()]
    return [data[i:j].tobytes().decode() for i, j in pairwise(edges)], told


_windows = None
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


@given(text)
def test_pieces_give_the_text_back(source):
    for rule in PATTERNS:
        assert "".join(split(source, rule)) == source


PARTS = [
    " ", "  ", "    ", "   \n", "\n", "\n\n", "\r\n", "\r", "\t", "\x0b", "'", "'", "'s", "'S",
    "'LL", "'ve", "'re", "don't", "a", "Z", "ab", "aB", "ABc", "1", "23", "4567", "12345678", "!",
    "/", "...", "\0", "\x1c", "_", "(", "):\n", "/\n", "!\n", "!\n/", "\n/", " the", "a" * 70,
    " " * 70,
]
AFTER = ["", "'s ll ", "  \n\n  /", "abc" * 30, " " * 80, "'ll" * 30, "\n/" * 40]
FOREIGN = ["é", "中", "ſ", "'ſ", "\u00a0", "\u3000", "²"]


@pytest.mark.parametrize("rule", PATTERNS)
@pytest.mark.parametrize("seed", range(3))
def test_windows_equal_definition(rule, seed):
    """Few different parts to a text, so that all of them meet; what lies around must not matter."""
    rng, told = random.Random(seed), 0
    for _ in range(1500):
        every = [*PARTS, *FOREIGN] if rng.random() < 0.3 else PARTS
        parts = rng.sample(every, rng.randrange(2, 20))
        source = "".join(rng.choices(parts, k=rng.choice([1, 2, 4, 8, 20, 60])))
        before, after = rng.choice(["", "'s", "  ", "a"]), rng.choice(AFTER)
        found, some = scan_windows(before, source, after, rule)
        assert found == split(source, rule), (before, source, after)
        told += some
    assert told > 9000  # the windows do the work


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
