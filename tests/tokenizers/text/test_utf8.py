"""Broken UTF-8: what each rule shows, and that recovering most equals leaving out errors."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.tokenizers.decoders.streaming import KeepValid
from minillm.tokenizers.text.utf8 import (
    decode_per_byte,
    decode_replace,
    decode_whole_run,
    is_character,
    recover,
    well_formed,
)

R = "\ufffd"
# Bytes at the borders of the table of well-formed UTF-8, so that random strings come close to it.
EDGES = [0x00, 0x61, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE4, 0xED,
         0xEF, 0xF0, 0xF3, 0xF4, 0xF5, 0xFF, 0xB8, 0xAD]
broken = (
    st.lists(st.sampled_from(EDGES), max_size=14).map(bytes) | st.binary(max_size=14)
    | st.text(max_size=6).map(lambda text: text.encode("utf-8", "replace")[1:])
)


def raw(digits: str) -> bytes:
    return bytes.fromhex(digits)


@pytest.mark.parametrize(("digits", "text"), [
    ("E4B861", R + "a"), ("EDA080", R * 3), ("C080", R * 2), ("F4908080", R * 4), ("E4B8AD", "中"),
    ("F09F98", R), ("F09F98E4B8AD", R + "中"), ("", ""), ("80", R),
])
def test_replacing(digits, text):
    assert decode_replace(raw(digits)) == text


@settings(max_examples=1000)
@given(broken)
def test_replacing_is_what_python_does(data):
    assert decode_replace(data) == data.decode("utf-8", "replace")


@pytest.mark.parametrize(("digits", "text"), [
    ("E4B8E4B8AD61", "中a"), ("F09F98E4B8AD", "中"), ("E4C3A9B8AD", "é"), ("", ""), ("FF", ""),
])
def test_recovering(digits, text):
    assert recover(raw(digits)) == text


@settings(max_examples=1000)
@given(broken)
def test_recovering_most_is_leaving_out_errors(data):
    assert recover(data) == data.decode("utf-8", "ignore") == KeepValid()([data]).decode()


def test_recovering_in_many_random_strings():
    rng = random.Random(0)
    for _ in range(3000):
        data = bytes(rng.choices(EDGES, k=rng.randrange(20)))
        assert recover(data) == data.decode("utf-8", "ignore")


def test_characters_never_overlap():
    """The reason: two different characters inside one byte string share no byte."""
    rng = random.Random(1)
    for _ in range(3000):
        data = bytes(rng.choices(EDGES, k=12))
        places = [
            (i, i + n) for i in range(12) for n in range(1, min(4, 12 - i) + 1)
            if is_character(data[i : i + n])
        ]
        assert all(end <= start for (_, end), (start, _) in pairwise(places))


def test_the_rules_of_other_libraries():
    assert decode_per_byte(raw("E4B861E4B8ADFF")) == R + R + "a中" + R
    assert decode_whole_run(raw("E4B8ADFF")) == R * 4
    assert decode_whole_run(raw("E4B8AD")) == "中"


@given(broken)
def test_per_byte_shows_one_mark_for_each_lost_byte(data):
    found = decode_per_byte(data)
    kept = data.decode("utf-8", "ignore")
    assert found.count(R) - kept.count(R) == len(data) - len(kept.encode())


def test_every_character_is_well_formed():
    for code in [*range(0x800), *range(0x800, 0x110000, 251), 0xD7FF, 0xE000, 0xFFFF, 0x10FFFF]:
        if not 0xD800 <= code < 0xE000:
            data = chr(code).encode()
            assert well_formed(data, 0) == len(data)
            assert is_character(data)


@pytest.mark.parity
def test_parity_with_sentencepiece_and_tokenizers():
    decoders = pytest.importorskip("tokenizers").decoders
    rng = random.Random(2)
    for _ in range(200):
        data = bytes(rng.choices(EDGES, k=rng.randrange(1, 9)))
        tokens = [f"<0x{byte:02X}>" for byte in data]
        assert decoders.ByteFallback().decode(tokens) == decode_whole_run(data)
