"""Writing a pattern's tree as a regular expression."""

from ..text.unicode_classes import LAST, Ranges, complement
from .tree import Atomic, Chain, Chars, Choice, Edge, Look, Node, Repeat

SPECIAL = set("\\[](){}.*+?^$|-&~# ")


def write_pattern(node: Node, dialect: str) -> str:
    r"""The tree in the dialect of Python's ``regex`` module or of ``oniguruma``.

    For ``regex`` every set is spelled out, so that its tables do not matter; for ``oniguruma``,
    which goes into files, classes are named where they mean the same there.
    """
    if isinstance(node, Chars):
        if dialect == "oniguruma" and node.spelled is not None:
            return node.spelled
        return class_of(node.ranges, dialect)
    if isinstance(node, Chain):
        return "".join(
            f"(?:{write_pattern(part, dialect)})" if isinstance(part, Choice)
            else write_pattern(part, dialect) for part in node.parts
        )
    if isinstance(node, Choice):
        return "|".join(write_pattern(option, dialect) for option in node.options)
    if isinstance(node, Repeat):
        inner = write_pattern(node.part, dialect)
        if not isinstance(node.part, Chars):
            inner = f"(?:{inner})"
        lazy = node.lazy and node.least != node.most  # elsewhere x{2}? may mean (?:x{2})?
        return inner + count_of(node.least, node.most) + "?" * lazy
    if isinstance(node, Atomic):
        return f"(?>{write_pattern(node.part, dialect)})"
    if isinstance(node, Look):
        kind = ("" if node.ahead else "<") + ("=" if node.wanted else "!")
        return f"(?{kind}{write_pattern(node.part, dialect)})"
    assert isinstance(node, Edge)
    return r"\A" if node.start else r"\z" if dialect == "oniguruma" else r"\Z"


def count_of(least: int, most: int | None) -> str:
    """How often, as a pattern says it."""
    marks = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (least, most) in marks:
        return marks[least, most]
    return f"{{{least},{'' if most is None else most}}}"


def class_of(members: Ranges, dialect: str) -> str:
    """A set of characters as one class, the shorter of what is in it and what is not."""
    if len(members) == 1 and members[0][0] == members[0][1]:
        return character(members[0][0], dialect)
    if not members:
        # Not [^\s\S], which Python's regex module takes for every character.
        return r"[^\x00-\U0010FFFF]" if dialect == "regex" else r"[^\s\S]"
    if members == ((0, LAST),):
        return r"[\s\S]"
    others = complement(members)
    negated = len(others) < len(members)
    parts = [
        character(first, dialect) + (f"-{character(last, dialect)}" if last > first else "")
        for first, last in (others if negated else members)
    ]
    return f"[{'^' * negated}{''.join(parts)}]"


def character(code: int, dialect: str = "oniguruma") -> str:
    """One character, escaped where it could mean something else."""
    if 32 <= code < 127:
        return "\\" * (chr(code) in SPECIAL) + chr(code)
    named = {9: r"\t", 10: r"\n", 13: r"\r"}
    if code in named:
        return named[code]
    return f"\\U{code:08X}" if dialect == "regex" else f"\\x{{{code:X}}}"
