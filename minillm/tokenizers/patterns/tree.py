"""What a regular expression means, whatever dialect it was written in.

A few kinds of nodes are enough: everything else that a dialect offers (classes, anchors, word
edges, case) is made of these when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..text.unicode_classes import Ranges


@dataclass(frozen=True)
class Chars:
    """One character of a set. spelled: how to write the set shortly, if all dialects agree."""

    ranges: Ranges
    spelled: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Chain:
    """The parts one after another; of no parts, the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """The first option with which the rest matches."""

    options: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """`least` to `most` times (None: any number), as often as possible or, `lazy`, as rarely."""

    part: Node
    least: int
    most: int | None
    lazy: bool = False


@dataclass(frozen=True)
class Atomic:
    """The part's first match; no other is tried if the rest does not match."""

    part: Node


@dataclass(frozen=True)
class Look:
    """Nothing, where the part matches (or, not `wanted`, does not) ahead or behind."""

    part: Node
    ahead: bool
    wanted: bool = True


@dataclass(frozen=True)
class Edge:
    """Nothing, at the very start or end of the text."""

    start: bool


Node = Chars | Chain | Choice | Repeat | Atomic | Look | Edge
NEWLINE = Chars(((10, 10),), r"\n")


def literal_of(node: Node) -> str | None:
    """The one text that it matches, or None if there are several or none."""
    if isinstance(node, Chars) and len(node.ranges) == 1 and len(set(node.ranges[0])) == 1:
        return chr(node.ranges[0][0])
    parts = [literal_of(part) for part in node.parts] if isinstance(node, Chain) else [None]
    return None if None in parts else "".join(filter(None, parts))


def can_be_empty(node: Node) -> bool:
    """May it match no characters at all?"""
    if isinstance(node, Chars):
        return False
    if isinstance(node, Chain):
        return all(map(can_be_empty, node.parts))
    if isinstance(node, Choice):
        return any(map(can_be_empty, node.options))
    if isinstance(node, Repeat):
        return node.least == 0 or can_be_empty(node.part)
    return can_be_empty(node.part) if isinstance(node, Atomic) else True


def size_of(node: Node) -> int:
    """How many nodes the tree has when every repetition is written out."""
    if isinstance(node, Chain):
        return sum(map(size_of, node.parts))
    if isinstance(node, Choice):
        return sum(map(size_of, node.options))
    if isinstance(node, Repeat):
        return size_of(node.part) * max(node.least, node.most or 0, 1)
    return size_of(node.part) if isinstance(node, Atomic | Look) else 1


def word_edge(word: Chars, wanted: bool = True) -> Node:
    """Between a word character and another one (or, not `wanted`, anywhere else)."""
    before, after = (Look(word, ahead) for ahead in (False, True))
    none_before, none_after = (Look(word, ahead, False) for ahead in (False, True))
    if wanted:
        return Choice((Chain((before, none_after)), Chain((none_before, after))))
    return Choice((Chain((before, after)), Chain((none_before, none_after))))
