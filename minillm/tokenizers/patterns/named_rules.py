"""The split rules that have names, their other spellings, and what a pattern means.

A rule with a name has a scanner in ``pre_tokenizers/scanning_kernel.py``.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from .reading import read_pattern
from .scanning import DIALECTS, PatternError
from .tree import Node, can_be_empty
from .writing import write_pattern

_CONTRACTION = r"'(?:[sdmtſSDMT]|[lL][lL]|[vV][eE]|[rR][eE])"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LETTERS_AFTER_ANY = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_SYMBOLS = r" ?[^\s\p{L}\p{N}]+"

PATTERNS = {
    # GPT-2 (Radford et al. 2019): a space belongs to the word after it.
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+|" + _SYMBOLS + r"|\s+(?!\S)|\s+",
    # GPT-4, as tiktoken has it today: white space at the very end stays whole.
    "cl100k": _CONTRACTION + "|" + _LETTERS_AFTER_ANY + r"|\p{N}{1,3}|" + _SYMBOLS
    + r"[\r\n]*|\s+\z|\s*[\r\n]+|\s+(?!\S)|\s+",
    # GPT-4, as first published; Hugging Face files and minbpe use it.
    "cl100k_original": _CONTRACTION + "|" + _LETTERS_AFTER_ANY + r"|\p{N}{1,3}|" + _SYMBOLS
    + r"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    # GPT-4o: a word ends where small letters meet a capital.
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+(?:{_CONTRACTION})?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*(?:{_CONTRACTION})?"
    r"|\p{N}{1,3}|" + _SYMBOLS + r"[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
RULES = ("given", *PATTERNS)  # in the order of the constants in scanning_kernel.py

_CL100K_TAIL = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
_O200K_END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
SPELLINGS = {  # the same rules as other libraries write them, in the dialect of tiktoken
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


def tree_of(pattern: str, dialect: str = "fancy") -> Node:
    """The meaning of a named rule, or of a regular expression in a dialect."""
    if pattern in PATTERNS:
        return read_pattern(PATTERNS[pattern], "fancy")
    try:
        return read_pattern(pattern, dialect)
    except PatternError as error:
        raise PatternError(
            f"pattern={pattern!r:.200} is neither a named rule ({', '.join(PATTERNS)}) nor a "
            f"regular expression that can be read: {error}"
        ) from None


def same_meaning(pattern: str) -> bool:
    """Do all dialects read this pattern alike?"""
    meanings = []
    for dialect in DIALECTS:
        try:
            meanings.append(tree_of(pattern, dialect))
        except PatternError:
            return False
    return meanings[0] == meanings[1]


@cache
def rules_by_meaning() -> dict[Node, str]:
    """The trees of the named rules and of their other spellings."""
    named = {read_pattern(source, "fancy"): name for source, name in SPELLINGS.items()}
    return named | {tree_of(name): name for name in PATTERNS}


@cache
def rule_of(pattern: str, dialect: str = "fancy") -> str | None:
    """The named rule that means the same as a pattern, or None; named rules have a scanner."""
    if pattern in PATTERNS:
        return pattern
    try:
        return rules_by_meaning().get(tree_of(pattern, dialect))
    except PatternError:
        return None


Span = tuple[int, int]


@cache
def compiled(pattern: str, dialect: str = "fancy") -> Any:
    """The compiled pattern, its character classes frozen at Unicode 16."""
    import regex

    return regex.compile(write_pattern(tree_of(pattern, dialect), "regex"))


def matches(text: str, pattern: str) -> Iterator[Any]:
    """Match objects of the pieces, in order, without empty ones."""
    return (match for match in compiled(pattern).finditer(text) if match.end() > match.start())


def spans(text: str, pattern: str, dialect: str = "fancy") -> list[Span]:
    """Where `pattern` matches, in order.

    A match may be empty, except where the one before ended, and matches go on after the next
    character then; both engines have this rule, and Python's has another.
    """
    expression = compiled(pattern, dialect)
    if not can_be_empty(tree_of(pattern, dialect)):
        return [match.span() for match in expression.finditer(text)]
    found: list[Span] = []
    place, last = 0, -1
    while place <= len(text) and (match := expression.search(text, place)):
        start, place = match.span()
        if start == place == last:
            place += 1
        else:
            found.append((start, place))
            last = place
    return found
