r"""Split rules: a regular expression cuts text into the pieces that merges never cross.

``split`` is the definition. The four rules with names also have scanners in
``minillm/kernels/text_scan.py`` that walk over the UTF-8 bytes and find the same pieces.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from .unicode_classes import in_brackets
from .word_characters import word_class

_CONTRACTION = r"'(?:[sdmtſSDMT]|[lL][lL]|[vV][eE]|[rR][eE])"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LETTERS_AFTER_ANY = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_SYMBOLS = r" ?[^\s\p{L}\p{N}]+"

PATTERNS = {
    # GPT-2 (Radford et al. 2019): a space belongs to the word after it.
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+|" + _SYMBOLS + r"|\s+(?!\S)|\s+",
    # GPT-4, as tiktoken has it today: white space at the very end stays whole.
    "cl100k": _CONTRACTION + "|" + _LETTERS_AFTER_ANY + r"|\p{N}{1,3}|" + _SYMBOLS
    + r"[\r\n]*|\s+\Z|\s*[\r\n]+|\s+(?!\S)|\s+",
    # GPT-4, as first published; Hugging Face files and minbpe use it.
    "cl100k_original": _CONTRACTION + "|" + _LETTERS_AFTER_ANY + r"|\p{N}{1,3}|" + _SYMBOLS
    + r"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    # GPT-4o: a word ends where small letters meet a capital.
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+(?:{_CONTRACTION})?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*(?:{_CONTRACTION})?"
    r"|\p{N}{1,3}|" + _SYMBOLS + r"[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
RULES = ("given", *PATTERNS)  # in the order of the constants in kernels/text_scan.py


def split(text: str, pattern: str) -> list[str]:
    """The pieces of `text` that match `pattern`, a name in PATTERNS or a regular expression.

    >>> split("I'm  here", "gpt2")
    ['I', "'m", ' ', ' here']
    """
    return [match.group() for match in matches(text, pattern)]


def matches(text: str, pattern: str) -> Iterator[Any]:
    """Match objects of the pieces, in order, without empty ones."""
    return (match for match in compiled(pattern).finditer(text) if match.end() > match.start())


@cache
def compiled(pattern: str) -> Any:
    """The compiled pattern, its character classes frozen at Unicode 16."""
    import regex

    source = PATTERNS.get(pattern, pattern)
    try:
        return regex.compile(freeze(source))
    except regex.error as error:
        named = ", ".join(PATTERNS)
        raise ValueError(
            f"pattern={pattern!r} is neither a named rule ({named}) nor a valid regular "
            f"expression: {error}"
        ) from error


@cache
def freeze(pattern: str) -> str:
    r"""Spell out ``\p{L}``, ``\s`` and their kind, so that every Python reads them alike."""
    classes = {
        r"\p{L}": "ULA", r"\p{N}": "N", r"\p{M}": "M", r"\p{Ll}": "L", r"\s": "S",
        r"\p{Lu}\p{Lt}": "U", r"\p{Lm}\p{Lo}": "A", r"\w": "w",
    }
    result, inside, i = [], False, 0
    while i < len(pattern):
        token = pattern[i : i + 2]
        if token == r"\p" and "}" in pattern[i:]:
            token = pattern[i : pattern.index("}", i) + 1]
            if pattern[i : i + 2 * len(token)] in classes:
                token = pattern[i : i + 2 * len(token)]
        elif not token.startswith("\\"):
            token = pattern[i]
        if token in classes:
            members = word_class() if classes[token] == "w" else in_brackets(classes[token])
            result.append(members if inside else f"[{members}]")
        elif token == r"\S" and not inside:
            result.append(f"[^{in_brackets('S')}]")
        else:
            result.append(token)
            inside = token == "[" or (inside and token != "]")
        i += len(token)
    return "".join(result)


_CL100K_TAIL = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
_O200K_END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
SPELLINGS = {  # the same rules as other libraries write them
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s": "gpt2",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s": "cl100k",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|" + _CL100K_TAIL + r"|\s*[\r\n]+|\s+(?!\S)|\s+":
        "cl100k_original",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+": "cl100k_original",
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_O200K_END}"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_O200K_END}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+": "o200k",
}


def rule_of(pattern: str) -> str | None:
    """The named rule that a pattern is, or None; named rules have a scanner."""
    if pattern in PATTERNS:
        return pattern
    by_source = {source: name for name, source in PATTERNS.items()}
    return by_source.get(pattern) or SPELLINGS.get(pattern)
