"""Where a regular expression matches, by the ``regex`` library: what no kernel can do."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from .named_rules import tree_of
from .tree import can_be_empty
from .writing import write_pattern

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
