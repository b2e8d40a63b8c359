"""The rules of SentencePiece's normalizations, made from the Unicode data that Python holds.

``nfkc`` writes every character as Unicode's compatibility form NFKC does, one character or one
short sequence at a time. ``nmt_nfkc``, the default, also turns control characters and odd spaces
into spaces or nothing. ``nfkc_cf`` and ``nmt_nfkc_cf`` fold case as well.
"""

import itertools
import lzma
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path

from .charsmap_build import build_charsmap

NAMES = ("nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity")
TO_SPACE = [
    0x9, 0xA, 0xC, 0xD, 0x61C, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581,
    0xFEFF, 0xFFFD,
]
TO_NOTHING = [*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F]
SHIPPED = Path(__file__).with_name("nmt_nfkc.charsmap.xz")
# What Unicode 15 to 17 added to 14, which Python 3.11 has: single characters, then compositions.
LETTERS = "абвгдежзиклмопрстуфхцчшыэюꚉәіјөүӏабвгдежзиклопсуфхцчшъыґіѕџҫꙑұ"
NEWER = {
    "\ua7f1": "S",
    **{chr(0x1CCD6 + k): c for k, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")},
    **{chr(0x1E030 + k): c for k, c in enumerate(LETTERS)},
}
NEWER_PAIRS = {
    "\U000105d2\u0307": 0x105C9, "\U000105da\u0307": 0x105E4,
    "\U00011382\U000113c9": 0x11383, "\U00011384\U000113bb": 0x11385,
    "\U0001138b\U000113c2": 0x1138E, "\U00011390\U000113c9": 0x11391,
    "\U000113c2\U000113b8": 0x113C7, "\U000113c2\U000113c2": 0x113C5,
    "\U000113c2\U000113c9": 0x113C8, "\U0001611e\U0001611e": 0x16121,
    "\U0001611e\U0001611f": 0x16123, "\U0001611e\U00016120": 0x16125,
    "\U0001611e\U00016129": 0x16122, "\U0001611e\U0001611e\U0001611f": 0x16126,
    "\U0001611e\U0001611e\U00016120": 0x16128, "\U0001611e\U00016129\U0001611f": 0x16127,
    "\U00016129\U0001611f": 0x16124, "\U00016d63\U00016d67": 0x16D69,
    "\U00016d63\U00016d67\U00016d67": 0x16D6A, "\U00016d67\U00016d67": 0x16D68,
}
NEWER_FOLDS = {
    "\u1fd3": "\u0390", "\u1fe3": "\u03b0", "\u1c89": "\u1c8a", "\ua7cb": "\u0264",
    "\ua7cc": "\ua7cd", "\ua7ce": "\ua7cf", "\ua7d2": "\ua7d3", "\ua7d4": "\ua7d5",
    "\ua7da": "\ua7db", "\ua7dc": "\u019b",
    **{chr(0x10D50 + k): chr(0x10D70 + k) for k in range(22)},
    **{chr(0x16EA0 + k): chr(0x16EBB + k) for k in range(25)},
}


@cache
def named_charsmap(name: str) -> bytes:
    """The compiled table of a normalization. The default one is shipped, the others are built."""
    if name not in NAMES:
        raise ValueError(f"normalization={name!r}; use one of {', '.join(NAMES)}")
    if name == "identity":
        return b""
    if name == "nmt_nfkc" and SHIPPED.exists():
        return lzma.decompress(SHIPPED.read_bytes())
    return build_charsmap({old.encode(): new.encode() for old, new in rules_of(name).items()})


def rules_of(name: str) -> dict[str, str]:
    """The rules of a normalization as text; of the rules that match, the longest is used."""
    rules = nfkc_rules()
    if name.startswith("nmt_"):
        rules.update({chr(code): " " for code in TO_SPACE} | {chr(code): "" for code in TO_NOTHING})
        del rules["\uff5e"]  # the full-width tilde stays as it is
    rules = without_needless(rules)
    return folded(rules) if name.endswith("_cf") else rules


def nfkc_rules() -> dict[str, str]:
    """Characters and sequences that NFKC writes differently."""
    rules: dict[str, str] = dict(NEWER)
    targets: dict[str, str] = {}  # what composes -> its composed form
    alike: dict[str, list[str]] = defaultdict(list)  # character -> others that are written as it
    for character in map(chr, itertools.chain(range(1, 0xD800), range(0xE000, 0x110000))):
        composed = unicodedata.normalize("NFKC", character)
        if composed != character:
            rules[character] = composed
        apart = unicodedata.normalize("NFKD", character)
        if len(apart) > 1:
            targets[apart] = unicodedata.normalize("NFKC", apart)
    for character, new in rules.items():
        apart = unicodedata.normalize("NFKD", new)
        if len(apart) == 1:
            alike[apart].append(character)
    for apart, composed in targets.items():
        if apart != composed:
            for spelling in itertools.product(*([c, *alike[c]] for c in apart)):
                rules["".join(spelling)] = composed
    return rules | {old: chr(new) for old, new in NEWER_PAIRS.items()}


def folded(rules: dict[str, str]) -> dict[str, str]:
    """The rules with the case of their results folded, and rules that fold single characters."""
    result = {old: "".join(map(fold, new)) for old, new in rules.items()}
    for character in map(chr, itertools.chain(range(1, 0xD800), range(0xE000, 0x110000))):
        if character not in rules and fold(character) != character:
            result[character] = fold(character)
    return result


def fold(character: str) -> str:
    """Case folding that keeps one character one (so ß stays ß)."""
    if character in NEWER_FOLDS:
        return NEWER_FOLDS[character]
    for one in (character.casefold(), character.lower()):
        if len(one) == 1:
            return one
    return character


def without_needless(rules: dict[str, str]) -> dict[str, str]:
    """The rules without sequences that the rules for shorter ones get right."""
    kept = {old: new for old, new in rules.items() if len(old) == 1 and old != new}
    for old, new in sorted(rules.items(), key=lambda rule: len(rule[0])):
        if len(old) > 1 and rewritten(old, kept) != new:
            kept[old] = new
    return kept


def rewritten(text: str, rules: dict[str, str]) -> str:
    """The text with the longest matching rule applied again and again, from left to right."""
    result, i = "", 0
    while i < len(text):
        for length in (4, 3, 2, 1):
            new = rules.get(text[i : i + length])
            if new is not None or length == 1:
                result += text[i] if new is None else new
                i += min(length, len(text) - i)
                break
    return result
