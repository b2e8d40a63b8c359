"""Make unicode16.txt and unicode16_sets.txt: the characters that split rules tell apart.

Run ``python tests/golden/make_unicode_classes.py`` with tiktoken 0.14 and tokenizers 0.23. Every
code point is shown to patterns that match one class only; what comes back belongs to the class.
Python's own ``unicodedata`` cannot be asked, because its Unicode version changes with Python's.
The two libraries, with two engines, are found to agree on every class written here.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import tiktoken
from tokenizers import Regex, pre_tokenizers

FOLDER = Path(__file__).parents[2] / "minillm/tokenizers/text"
CATEGORIES = """
Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn
"""
PROPERTIES = """
Alphabetic Uppercase Lowercase White_Space Ideographic Emoji Emoji_Presentation
Extended_Pictographic
"""
SCRIPTS = """
Adlam=Adlm Ahom Anatolian_Hieroglyphs=Hluw Arabic=Arab Armenian=Armn Avestan=Avst Balinese=Bali
Bamum=Bamu Bassa_Vah=Bass Batak=Batk Bengali=Beng Bhaiksuki=Bhks Bopomofo=Bopo Brahmi=Brah
Braille=Brai Buginese=Bugi Buhid=Buhd Canadian_Aboriginal=Cans Carian=Cari Caucasian_Albanian=Aghb
Chakma=Cakm Cham Cherokee=Cher Chorasmian=Chrs Common=Zyyy Coptic=Copt Cuneiform=Xsux Cypriot=Cprt
Cypro_Minoan=Cpmn Cyrillic=Cyrl Deseret=Dsrt Devanagari=Deva Dives_Akuru=Diak Dogra=Dogr
Duployan=Dupl Egyptian_Hieroglyphs=Egyp Elbasan=Elba Elymaic=Elym Ethiopic=Ethi Garay=Gara
Georgian=Geor Glagolitic=Glag Gothic=Goth Grantha=Gran Greek=Grek Gujarati=Gujr Gunjala_Gondi=Gong
Gurmukhi=Guru Gurung_Khema=Gukh Han=Hani Hangul=Hang Hanifi_Rohingya=Rohg Hanunoo=Hano Hatran=Hatr
Hebrew=Hebr Hiragana=Hira Imperial_Aramaic=Armi Inherited=Zinh Inscriptional_Pahlavi=Phli
Inscriptional_Parthian=Prti Javanese=Java Kaithi=Kthi Kannada=Knda Katakana=Kana Kawi
Kayah_Li=Kali Kharoshthi=Khar Khitan_Small_Script=Kits Khmer=Khmr Khojki=Khoj Khudawadi=Sind
Kirat_Rai=Krai Lao=Laoo Latin=Latn Lepcha=Lepc Limbu=Limb Linear_A=Lina Linear_B=Linb Lisu
Lycian=Lyci Lydian=Lydi Mahajani=Mahj Makasar=Maka Malayalam=Mlym Mandaic=Mand Manichaean=Mani
Marchen=Marc Masaram_Gondi=Gonm Medefaidrin=Medf Meetei_Mayek=Mtei Mende_Kikakui=Mend
Meroitic_Cursive=Merc Meroitic_Hieroglyphs=Mero Miao=Plrd Modi Mongolian=Mong Mro=Mroo
Multani=Mult Myanmar=Mymr Nabataean=Nbat Nag_Mundari=Nagm Nandinagari=Nand New_Tai_Lue=Talu Newa
Nko=Nkoo Nushu=Nshu Nyiakeng_Puachue_Hmong=Hmnp Ogham=Ogam Ol_Chiki=Olck Ol_Onal=Onao
Old_Hungarian=Hung Old_Italic=Ital Old_North_Arabian=Narb Old_Permic=Perm Old_Persian=Xpeo
Old_Sogdian=Sogo Old_South_Arabian=Sarb Old_Turkic=Orkh Old_Uyghur=Ougr Oriya=Orya Osage=Osge
Osmanya=Osma Pahawh_Hmong=Hmng Palmyrene=Palm Pau_Cin_Hau=Pauc Phags_Pa=Phag Phoenician=Phnx
Psalter_Pahlavi=Phlp Rejang=Rjng Runic=Runr Samaritan=Samr Saurashtra=Saur Sharada=Shrd
Shavian=Shaw Siddham=Sidd SignWriting=Sgnw Sinhala=Sinh Sogdian=Sogd Sora_Sompeng=Sora
Soyombo=Soyo Sundanese=Sund Sunuwar=Sunu Syloti_Nagri=Sylo Syriac=Syrc Tagalog=Tglg Tagbanwa=Tagb
Tai_Le=Tale Tai_Tham=Lana Tai_Viet=Tavt Takri=Takr Tamil=Taml Tangsa=Tnsa Tangut=Tang Telugu=Telu
Thaana=Thaa Thai Tibetan=Tibt Tifinagh=Tfng Tirhuta=Tirh Todhri=Todr Toto Tulu_Tigalari=Tutg
Ugaritic=Ugar Vai=Vaii Vithkuqi=Vith Wancho=Wcho Warang_Citi=Wara Yezidi=Yezi Yi=Yiii
Zanabazar_Square=Zanb
"""
CATEGORIES_HEADER = """\
# General categories of Unicode 16.0. A line "hex category" begins a run that ends at the next
# line. Made by tests/golden/make_unicode_classes.py.
"""
SETS_HEADER = """\
# Sets of characters of Unicode 16.0: "set", names joined by =, then runs of code points in hex.
# "fold" lines hold characters that are one letter where case does not matter. Made by
# tests/golden/make_unicode_classes.py.
"""
POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
EVERY = "".join(map(chr, POINTS))


def members(pattern: str, every: str = EVERY) -> set[int]:
    """The characters of `every` that `pattern` matches, to tiktoken's engine."""
    ranks = {bytes([b]): b for b in range(256)}
    probe = tiktoken.Encoding(name="probe", pat_str=pattern, mergeable_ranks=ranks,
                              special_tokens={})
    return set(map(ord, bytes(probe.encode_ordinary(every)).decode()))


def checked(pattern: str) -> set[int]:
    """The same, where the other library agrees."""
    found = members(pattern)
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    theirs = {ord(c) for piece, _ in split.pre_tokenize_str(EVERY) for c in piece}
    if found != theirs:
        raise SystemExit(f"{pattern}: the libraries differ")
    return found


def runs(codes: Iterable[int]) -> str:
    """Code points as "first-last" in hex, one after another."""
    codes = sorted(codes)
    breaks = [k for k, (a, b) in enumerate(pairwise(codes), 1) if b > a + 1]
    edges = zip([0, *breaks], [*breaks, len(codes)])
    parts = [(codes[i], codes[j - 1]) for i, j in edges] if codes else []
    return " ".join(f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in parts)


def main() -> None:
    of = ["Cs"] * 0x110000
    for category in CATEGORIES.split():
        for code in checked(rf"\p{{{category}}}+") if category != "Cs" else ():
            of[code] = category
    lines = [f"{0:X} {of[0]}\n"]
    lines += [f"{c:X} {b}\n" for c, (a, b) in enumerate(pairwise(of), 1) if a != b]
    (FOLDER / "unicode16.txt").write_text(CATEGORIES_HEADER + "".join(lines), encoding="ascii")

    sets = []
    for names in (PROPERTIES + SCRIPTS).split():
        pattern = r"[\p{" + names.split("=")[0] + "}]+"
        sets.append(f"set {names} {runs(checked(pattern))}\n")
    cased = members(r"[\p{L}\p{M}\p{N}\p{S}]", EVERY)
    letters = "".join(map(chr, sorted(
        c for c in cased if of[c] in ("Lu", "Ll", "Lt") or chr(c).lower() != chr(c).upper()
    )))
    done: set[int] = set()
    for letter in letters:
        same = members(f"(?i:{letter})", letters)
        if len(same) > 1 and ord(letter) not in done:
            sets.append("fold " + " ".join(f"{c:X}" for c in sorted(same)) + "\n")
            done |= same
    (FOLDER / "unicode16_sets.txt").write_text(SETS_HEADER + "".join(sets), encoding="ascii")


if __name__ == "__main__":
    main()
