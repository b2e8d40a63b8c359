"""Unicode's forms, normalized only where they may change, beside Python's of the whole text."""

import random
import re
import unicodedata

import pytest

from minillm.tokenizers.normalizers.unicode_forms import (
    CHANGED,
    FORMS,
    FROZEN,
    TOUCHING,
    UnicodeForm,
    kinds_of,
)


def whole(form, text, frozen):
    """Python's form of everything between the characters that have no decomposition here."""
    parts = re.split(f"([{frozen}])", text)
    parts[::2] = [unicodedata.normalize(form, part) for part in parts[::2]]
    return "".join(parts)


@pytest.mark.parametrize("form", FORMS)
def test_random_neighbours(form):
    """Characters of all kinds side by side: marks, parts of Korean syllables, frozen ones."""
    rng = random.Random(1)
    table = kinds_of(form)
    codes = {kind: [code for code in range(len(table)) if table[code] == kind]
             for kind in (CHANGED, TOUCHING, FROZEN)}
    kinds = [*(["".join(map(chr, some))] for some in codes.values()), "abc 가각中，é", "각", "각"]
    pools = ["".join(kind) for kind in kinds]
    frozen = pools[2]
    for _ in range(20000):
        text = "".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 9)))
        assert UnicodeForm(form)(text) == whole(form, text, frozen), [*map(hex, map(ord, text))]


@pytest.mark.parametrize("form", FORMS)
def test_every_character(form):
    """Each by itself, and behind and before a letter that many marks can be joined to."""
    table = kinds_of(form)
    frozen = "".join(chr(code) for code in range(len(table)) if table[code] == FROZEN)
    every = [chr(code) for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000]
    text = "".join(f"a{character}a\n" for character in every if character not in frozen)
    assert UnicodeForm(form)(text) == unicodedata.normalize(form, text)
    assert UnicodeForm(form)("\ud800中\u0301") == unicodedata.normalize(form, "\ud800中\u0301")
