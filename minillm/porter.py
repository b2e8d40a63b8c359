"""Porter's stemmer: cutting endings off English words by rules (Porter 1980).

Not a tokenizer of language models, which must give the text back, but what search engines used to
count *connect*, *connected* and *connections* as one. Conditions look at the stem that remains:
its measure m is how often vowels are followed by consonants.
"""

import re

STEP_2 = [
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("abli", "able"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"),
    ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"),
    ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
]
STEP_3 = [
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
]
ENDINGS = "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
STEP_4 = [(ending, "") for ending in ENDINGS.split()]


def shape(stem: str) -> str:
    """Each letter as v or c: y is a vowel after a consonant.

    >>> shape("syzygy")
    'cvcvcv'
    """
    kinds = ""
    for letter in stem:
        vowel = letter in "aeiou" or (letter == "y" and kinds.endswith("c"))
        kinds += "v" if vowel else "c"
    return kinds


def measure(stem: str) -> int:
    """How many times vowels are followed by consonants.

    >>> [measure(stem) for stem in ("tree", "trouble", "private")]
    [0, 1, 2]
    """
    return len(re.findall("v+c+", shape(stem)))


def ends_double(stem: str) -> bool:
    """Does it end with a consonant twice?"""
    return stem[-1:] == stem[-2:-1] != "" and shape(stem)[-1] == "c"


def ends_short(stem: str) -> bool:
    """Does it end consonant, vowel, consonant, the last one not w, x or y?"""
    return shape(stem)[-3:] == "cvc" and stem[-1] not in "wxy"


def replace_longest(word: str, rules: list[tuple[str, str]], least: int) -> str:
    """Replace the longest ending in the rules, if the stem before it has measure `least`."""
    for ending, new in sorted(rules, key=lambda rule: -len(rule[0])):
        if word.endswith(ending):
            stem = word[: -len(ending)]
            if ending == "ion" and stem[-1:] not in ("s", "t"):
                return word
            return stem + new if measure(stem) >= least else word
    return word


def plurals(word: str) -> str:
    """Step 1a: caresses -> caress, ponies -> poni, cats -> cat."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def past_and_progressive(word: str) -> str:
    """Step 1b: agreed -> agree, plastered -> plaster, hopping -> hop, filing -> file."""
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    ending = next((e for e in ("ed", "ing") if word.endswith(e)), None)
    if ending is None or "v" not in shape(word[: -len(ending)]):
        return word
    stem = word[: -len(ending)]
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if ends_double(stem) and stem[-1] not in "lsz":
        return stem[:-1]
    return stem + "e" if measure(stem) == 1 and ends_short(stem) else stem


def last_letters(word: str) -> str:
    """Step 5: probate -> probat, rate stays, controll -> control."""
    if word.endswith("e"):
        m = measure(word[:-1])
        if m > 1 or (m == 1 and not ends_short(word[:-1])):
            word = word[:-1]
    double_l = word.endswith("ll") and measure(word) > 1
    return word[:-1] if double_l else word


def stem(word: str) -> str:
    """The stem of a word in small letters; words of one or two letters stay as they are.

    >>> [stem(word) for word in ("connect", "connected", "connections")]
    ['connect', 'connect', 'connect']
    """
    if len(word) < 3:
        return word
    word = past_and_progressive(plurals(word))
    if word.endswith("y") and "v" in shape(word[:-1]):
        word = word[:-1] + "i"
    word = replace_longest(word, STEP_2, 1)
    word = replace_longest(word, STEP_3, 1)
    word = replace_longest(word, STEP_4, 2)
    return last_letters(word)
