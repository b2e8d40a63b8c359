"""Special tokens: strings that text cannot contain by accident, each with one id of its own."""

import re
from collections.abc import Iterator, Mapping

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


def cut_out(text: str, tokens: Mapping[str, int], pattern: re.Pattern[str]) -> Iterator[str | int]:
    """The text between special tokens as str, and each special token as its id, in order."""
    position = 0
    for match in pattern.finditer(text):
        if match.start() > position:
            yield text[position : match.start()]
        yield tokens[match.group()]
        position = match.end()
    if position < len(text):
        yield text[position:]


def refuse(text: str, pattern: re.Pattern[str]) -> None:
    """Raise a ValueError if a special token stands in the text."""
    match = pattern.search(text)
    if match:
        raise ValueError(
            f"text has the special token {match.group()!r} at character {match.start()}; "
            "pass special='allow' to encode it as its id, or special='text' as ordinary text"
        )
