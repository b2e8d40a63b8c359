"""A place in the source of a pattern, and what one character or escape there stands for."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

from ..text.unicode_classes import Ranges, category, complement, folded, intersection, named, union
from .tree import NEWLINE, Atomic, Chain, Chars, Choice, Node
from .writing import character

DIALECTS = ("oniguruma", "fancy")
ONE = {"t": 9, "n": 10, "r": 13, "f": 12, "a": 7, "e": 27, "v": 11}
HEX = ((48, 57), (65, 70), (97, 102))
LINE_ENDS = ((10, 13), (0x85, 0x85), (0x2028, 0x2029))
BLANK = ((9, 9),)
POSIX = (
    "alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct", "cntrl", "graph",
    "print", "xdigit", "word", "ascii",
)
ONLY_ASCII = {  # Rust's POSIX classes
    "alpha": ((65, 90), (97, 122)), "digit": ((48, 57),), "upper": ((65, 90),),
    "lower": ((97, 122),), "space": ((9, 13), (32, 32)), "blank": ((9, 9), (32, 32)),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)), "cntrl": ((0, 31), (127, 127)),
    "graph": ((33, 126),), "print": ((32, 126),), "xdigit": HEX, "ascii": ((0, 127),),
    "alnum": ((48, 57), (65, 90), (97, 122)), "word": ((48, 57), (65, 90), (95, 95), (97, 122)),
}


class PatternError(ValueError):
    """A pattern that is wrong, or that cannot be read into one meaning."""


@dataclass
class Scanner:
    """The source, how far it is read, and the flags that hold there."""

    source: str
    dialect: str
    place: int = 0
    ignore_case: bool = False
    dot_all: bool = False
    multi_line: bool = False
    spaced: bool = False

    @property
    def oniguruma(self) -> bool:
        """Is the pattern to be read as Oniguruma reads it?"""
        return self.dialect == "oniguruma"

    def error(self, why: str) -> PatternError:
        """The error that says at which character."""
        return PatternError(
            f"{why} (before character {self.place}, in the dialect {self.dialect})"
        )

    @property
    def done(self) -> bool:
        """Is the pattern read to its end?"""
        return self.place >= len(self.source)

    def sees(self, text: str) -> bool:
        """Does this text come next?"""
        return self.source.startswith(text, self.place)

    def takes(self, text: str) -> bool:
        """Is this text next? Then it is read."""
        found = self.sees(text)
        self.place += len(text) * found
        return found

    def take(self) -> str:
        """The next character."""
        if self.done:
            raise self.error("its end came too early")
        self.place += 1
        return self.source[self.place - 1]

    def until(self, mark: str) -> str:
        """What stands before `mark`, which is read too."""
        end = self.source.find(mark, self.place)
        if end < 0:
            raise self.error(f"{mark!r} is missing")
        text, self.place = self.source[self.place : end], end + len(mark)
        return text

    def number(self, least: int, most: int) -> int:
        """A code point of so many hex digits, or of any number in braces."""
        if self.takes("{"):
            digits, least = self.until("}").strip(), 1
        else:
            digits = ""
            while len(digits) < most and self.source[self.place : self.place + 1] in tuple(
                "0123456789abcdefABCDEF"
            ):
                digits += self.take()
        hexadecimal = len(digits) >= least and all(c in "0123456789abcdefABCDEF" for c in digits)
        code = int(digits, 16) if hexadecimal else -1
        if not 0 <= code <= 0x10FFFF or 0xD800 <= code < 0xE000:
            raise self.error(f"{digits!r} is no code point")
        return code

    # -- escapes ------------------------------------------------------------------------------

    def code(self, letter: str) -> int | None:
        """The code point of an escape that stands for one character, or None."""
        if letter in ONE:
            return ONE[letter]
        if letter == "x":
            return self.number(1 if self.oniguruma else 2, 2)
        if letter == "u":
            return self.number(4, 4)
        if letter == "U" and not self.oniguruma:
            return self.number(8, 8)
        if letter == "0" and self.oniguruma:
            digits = ""
            while len(digits) < 2 and self.source[self.place : self.place + 1] in tuple("01234567"):
                digits += self.take()
            return int(digits or "0", 8)
        if (not letter.isalnum() and (self.oniguruma or letter not in "<>")) or letter > "\x7f":
            return ord(letter)
        return None

    def set_of(self, letter: str, inside: bool) -> Chars | None:
        """The set that an escape like ``\\d`` or ``\\p{L}`` stands for, or None."""
        lower = letter.lower()
        if lower == "p":
            return self.property_of(letter == "P")
        if lower == "d":
            made = Chars(category("Nd"), rf"\{letter}")
        elif lower == "s":
            made = Chars(named("White_Space") or (), rf"\{letter}")
        elif lower == "h":
            made = Chars(HEX)
        elif lower == "w":
            made = Chars(word_characters(self.dialect, inside))
        else:
            return None
        return Chars(complement(made.ranges), made.spelled) if letter.isupper() else made

    def property_of(self, negated: bool) -> Chars:
        r"""``\p{…}``, from its brace on, or in Rust a single letter."""
        if self.takes("{"):
            name = self.until("}")
        elif self.oniguruma:
            raise self.error(r"\p needs a name in braces")
        else:
            name = self.take()
        if name.startswith("^"):
            negated, name = not negated, name[1:]
        if not self.oniguruma:
            key, equals, value = name.partition("=")
            if equals and key.strip().lower() in ("sc", "script", "gc", "general_category"):
                name = value
        posix = name.strip().lower()
        members = named(name)
        if members is None and self.oniguruma and posix in POSIX:
            # Two of these names mean less and more in \p{…} than in [[:…:]].
            other = {"punct": category("P"), "word": word_characters(self.dialect, False)}
            members = other[posix] if posix in other else posix_class(posix)
        if members is None:
            raise self.error(f"{name!r} is no category, script or property known here")
        short = len(name) <= 2 and name.isalpha()
        spelled = rf"\{'P' if negated else 'p'}{{{name}}}" if short else None
        if self.ignore_case and not self.oniguruma and folded(members) != members:
            members, spelled = folded(members), None  # Rust forgets case first, then negates
        return Chars(complement(members) if negated else members, spelled)

    def with_case(self, chars: Chars) -> Chars:
        """The set, as it is where case does not matter."""
        if not self.ignore_case:
            return chars
        members = folded(chars.ranges)
        if self.oniguruma and intersection(members, tuple((c, c) for c in several())):
            raise self.error(
                "where case does not matter, a letter such as ß also matches two (ss), which is "
                "not supported; leave (?i) away or name the letters"
            )
        return chars if members == chars.ranges else Chars(members)


def one(code: int) -> Chars:
    """The set of one character."""
    return Chars(((code, code),), character(code))


def line_break() -> Node:
    r"""``\R``: any end of a line, of which \r\n is one."""
    return Atomic(Choice((Chain((one(13), NEWLINE)), Chars(LINE_ENDS))))


@cache
def word_characters(dialect: str, inside: bool) -> Ranges:
    r"""``\w``. Oniguruma's has no joiners, but outside of brackets six signs such as ²."""
    members = union(
        named("Alphabetic") or (), category("M"), category("Nd"), category("Pc"),
        ((0x200C, 0x200D),),
    )
    if dialect == "oniguruma":
        members = intersection(members, complement(((0x200C, 0x200D),)))
        if not inside:
            members = union(members, ((0xB2, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE)))
    return members


@cache
def posix_class(name: str) -> Ranges:
    """``[[:name:]]`` in Oniguruma: all of Unicode."""
    if name == "word":
        return word_characters("oniguruma", True)
    if name == "alnum":
        return union(named("Alphabetic") or (), category("Nd"))
    if name == "blank":
        return union(category("Zs"), BLANK)
    if name == "punct":
        return union(category("P"), category("S"))
    if name in ("graph", "print"):
        hidden = union(*(map(category, ("Zl", "Zp", "Cc", "Cn", "Cs"))))
        return complement(union(hidden, () if name == "print" else category("Zs")))
    if name == "xdigit":
        return HEX
    full = {"alpha": "Alphabetic", "upper": "Uppercase", "lower": "Lowercase", "digit": "Nd",
            "space": "White_Space", "cntrl": "Cc", "ascii": "ASCII"}
    return named(full[name]) or ()


@cache
def several() -> dict[int, str]:
    """The letters that are more than one letter where case does not matter: ß is ss."""
    points = [*range(0x80, 0x600), *range(0x1E00, 0x2000), *range(0xFB00, 0xFB20)]
    return {code: chr(code).casefold() for code in points if len(chr(code).casefold()) > 1
            and unicodedata.category(chr(code)) != "Cn"}
