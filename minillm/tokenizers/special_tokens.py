"""Special tokens: strings that text cannot contain by accident, each with one id of its own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .metaspace import Continued
from .normalizing import WHITE_SPACE
from .word_characters import word_pattern

MODES = ("raise", "allow", "text")


def check_special_tokens(tokens: list[str]) -> None:
    """Raise a ValueError for an empty, repeated or non-text special token."""
    seen = set()
    for token in tokens:
        if not isinstance(token, str) or not token:
            raise ValueError(f"special_tokens holds {token!r}; each must be a non-empty str")
        if token in seen:
            raise ValueError(f"special_tokens holds {token!r} twice; leave one of them out")
        seen.add(token)


def special_pattern(tokens: Mapping[str, int]) -> re.Pattern[str]:
    """Finds the leftmost special token, and of those that start there the longest."""
    longest_first = sorted(tokens, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) if tokens else "(?!)")


@dataclass(frozen=True)
class TokenRule:
    """How a token is found in text, where that differs from the plain way.

    single_word: only where no word character touches it. lstrip, rstrip: it takes the white space
    to its left or right with it. ordinary: it is part of the language and found whatever
    ``special=`` says.
    """

    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    ordinary: bool = False


def found_in(
    text: str, pattern: re.Pattern[str], rules: Mapping[str, TokenRule]
) -> Iterator[tuple[str, int, int]]:
    """(token, start, end) of the special tokens in a text, from left to right."""
    position = 0
    for match in pattern.finditer(text):
        token, (start, end) = match.group(), match.span()
        rule = rules.get(token, TokenRule())
        touched = text[max(start - 1, 0) : start] + text[end : end + 1]
        if rule.single_word and word_pattern().search(touched):
            continue
        if rule.lstrip:
            start = max(position, len(text[:start].rstrip(WHITE_SPACE)))
        if rule.rstrip:
            end = len(text) - len(text[end:].lstrip(WHITE_SPACE))
        if start >= position:
            yield token, start, end
            position = end


def cut_out(
    text: str, tokens: Mapping[str, int], pattern: re.Pattern[str],
    rules: Mapping[str, TokenRule],
) -> Iterator[str | tuple[int, int]]:
    """The text between special tokens as str; each special token as (id, characters), in order."""
    position = 0
    for token, start, end in found_in(text, pattern, rules):
        if start > position:
            part = text[position:start]
            yield part if position == 0 else Continued(part)
        yield tokens[token], end - start
        position = end
    if position < len(text):
        yield text[position:] if position == 0 else Continued(text[position:])


def refuse(text: str, pattern: re.Pattern[str]) -> None:
    """Raise a ValueError if a special token stands in the text."""
    match = pattern.search(text)
    if match:
        raise ValueError(
            f"text has the special token {match.group()!r} at character {match.start()}; "
            "pass special='allow' to encode it as its id, or special='text' as ordinary text"
        )
