"""Reading regular expressions: two dialects, one meaning.

``oniguruma``: Split and Replace in a tokenizer.json. ``fancy``: tiktoken's patterns, in Rust's
syntax with looking around. They look alike and differ in the small: ``x{1,3}+`` repeats in the
first and is possessive in the second; ``^`` is the start of a line or of the text; ``(?m)`` is
about the dot or about lines. What has no meaning here (back references, calls, conditions) is
refused.
"""

from functools import cache

from ..text.unicode_classes import LAST, complement
from .classes import DEEPEST, bracket
from .scanning import DIALECTS, Scanner, line_break, one, several, word_characters
from .tree import (
    NEWLINE,
    Atomic,
    Chain,
    Chars,
    Choice,
    Edge,
    Look,
    Node,
    Repeat,
    can_be_empty,
    size_of,
    word_edge,
)

MOST = 1000  # repetitions that a count may ask for
LARGEST = 20_000  # parts of a pattern whose repetitions are written out
LOOKS = {"=": (True, True), "!": (True, False), "<=": (False, True), "<!": (False, False)}


@cache
def read_pattern(source: str, dialect: str) -> Node:
    """The meaning of a pattern; raises a PatternError, which says where and why."""
    if dialect not in DIALECTS:
        raise ValueError(f"dialect={dialect!r}; use one of {', '.join(DIALECTS)}")
    scanner = Scanner(source, dialect)
    node = choice(scanner, 0)
    if not scanner.done:
        raise scanner.error("a ) has no (")
    return node


def choice(scanner: Scanner, depth: int) -> Node:
    """Alternatives up to the end or a closing bracket, which is not read."""
    if depth > DEEPEST:
        raise scanner.error(f"groups stand in one another more than {DEEPEST} deep")
    options = [row(scanner, depth)]
    while scanner.takes("|"):
        options.append(row(scanner, depth))
    return options[0] if len(options) == 1 else Choice(tuple(options))


def row(scanner: Scanner, depth: int) -> Node:
    """One alternative."""
    parts: list[Node] = []
    letters = ""  # the plain letters just before, where case does not matter
    while not scanner.done and not scanner.sees("|") and not scanner.sees(")"):
        if skipped(scanner):
            continue
        start = scanner.place
        node = atom(scanner, depth)
        if node is None:  # flags for the rest of the group
            continue
        letter = scanner.source[start : scanner.place]
        node = repeated(scanner, node)
        parts.append(node)
        letters = letters + letter if isinstance(node, Chars) and len(letter) == 1 else ""
        if scanner.ignore_case and scanner.oniguruma:
            refuse_ligatures(scanner, letters)
    return parts[0] if len(parts) == 1 else Chain(tuple(parts))


def skipped(scanner: Scanner) -> bool:
    """Reads a comment, and with the flag x white space and comments up to the end of a line."""
    if scanner.takes("(?#"):
        scanner.until(")")
        return True
    if scanner.spaced and scanner.source[scanner.place] in " \t\n\r\f\v":
        scanner.take()
        return True
    if scanner.spaced and scanner.takes("#"):
        end = scanner.source.find("\n", scanner.place)
        scanner.place = len(scanner.source) if end < 0 else end + 1
        return True
    return False


def refuse_ligatures(scanner: Scanner, letters: str) -> None:
    """Oniguruma finds ß for ss where case does not matter."""
    small = letters.casefold()
    found = [chr(code) for code, pair in several().items() if small.endswith(pair)]
    if found:
        raise scanner.error(
            f"where case does not matter, {letters!r} also matches {found[0]!r}, which is not "
            "supported"
        )


def atom(scanner: Scanner, depth: int) -> Node | None:
    """One character, class, group or anchor. None: flags, which were set."""
    c = scanner.take()
    if c == "(":
        return group(scanner, depth)
    if c == "[":
        return scanner.with_case(bracket(scanner, 0))
    if c == ".":
        return Chars(((0, LAST),)) if scanner.dot_all else Chars(complement(NEWLINE.ranges))
    if c == "^":
        return line_start(scanner) if scanner.oniguruma or scanner.multi_line else Edge(True)
    if c == "$":
        return line_end() if scanner.oniguruma or scanner.multi_line else Edge(False)
    if c in "*+?":
        raise scanner.error(f"{c} has nothing to repeat")
    return escape(scanner) if c == "\\" else scanner.with_case(one(ord(c)))


def line_start(scanner: Scanner) -> Node:
    """The start of a line; in Oniguruma no line starts after the last character."""
    after = Look(NEWLINE, ahead=False)
    if not scanner.oniguruma:
        return Choice((Edge(True), after))
    return Choice((Edge(True), Chain((after, Look(Edge(False), True, False)))))


def line_end() -> Node:
    """The end of a line: that of the text, or a place before a line feed."""
    return Choice((Edge(False), Look(NEWLINE, ahead=True)))


def escape(scanner: Scanner) -> Node:
    """What a backslash and what follows it stand for, outside of brackets."""
    letter = scanner.take()
    found = scanner.set_of(letter, inside=False)
    if found is not None:
        return scanner.with_case(found)
    if letter == "A":
        return Edge(True)
    if letter == "z":
        return Edge(False)
    if letter == "Z":
        return Choice((Edge(False), Look(Chain((NEWLINE, Edge(False))), ahead=True)))
    if letter in "bB":
        return word_edge(Chars(word_characters(scanner.dialect, False)), letter == "b")
    if letter in "NO":
        return Chars(complement(NEWLINE.ranges) if letter == "N" else ((0, LAST),))
    if letter == "R":
        return line_break()
    code = scanner.code(letter)
    if code is None:
        raise scanner.error(f"\\{letter} is not supported")
    return scanner.with_case(one(code))


def group(scanner: Scanner, depth: int) -> Node | None:
    """A group, from after its opening bracket on."""
    kind, flags = "", vars(scanner).copy()
    if scanner.takes("?"):
        for kind in ("<=", "<!", "=", "!", ">", ":", "P<", "<", "'"):
            if (kind != "P<" or not scanner.oniguruma) and scanner.takes(kind):
                break
        else:
            kind = set_flags(scanner)
        if kind == ")" and not scanner.oniguruma:
            if depth:  # the engine lets some of them hold after the group too
                raise scanner.error("flags in a group need a group of their own, (?i:…)")
            return None
        if kind == ")":  # and here make everything up to there a group of its own
            inner = choice(scanner, depth + 1)
            restore(scanner, flags)
            return inner
        if kind in ("P<", "<", "'"):
            scanner.until("'" if kind == "'" else ">")
    inner = choice(scanner, depth + 1)
    if not scanner.takes(")"):
        raise scanner.error("a ) is missing")
    restore(scanner, flags)
    if kind in LOOKS:
        return Look(inner, *LOOKS[kind])
    return Atomic(inner) if kind == ">" else inner


def restore(scanner: Scanner, flags: dict) -> None:
    """Set the flags back to what they were."""
    for name in ("ignore_case", "dot_all", "multi_line", "spaced"):
        setattr(scanner, name, flags[name])


def set_flags(scanner: Scanner) -> str:
    """Reads flags such as ``i-x``, sets them, and returns the : or ) after them."""
    names = {"i": "ignore_case", "x": "spaced"}
    names |= {"m": "dot_all"} if scanner.oniguruma else {"s": "dot_all", "m": "multi_line", "u": ""}
    on = True
    while (c := scanner.take()) not in ":)":
        if c == "-" and on:
            on = False
        elif c in names and (c != "u" or on):
            if names[c]:
                setattr(scanner, names[c], on)
        else:
            raise scanner.error(f"the group (?{c} is not supported")
    return c


def repeated(scanner: Scanner, node: Node) -> Node:
    """The node with the marks of repetition that follow it."""
    stacked = False  # may another mark follow?
    while not scanner.done:
        skip = scanner.place
        while scanner.spaced and not scanner.done and skipped(scanner):
            pass
        count = counted(scanner)
        if count is None:
            scanner.place = skip
            return node
        if stacked:
            raise scanner.error("repeating what is repeated already needs a group (?:…)")
        if isinstance(node, Edge | Look):
            raise scanner.error("repeating a place without characters is not supported")
        least, most, braces = count
        if (most is None or most > 1) and can_be_empty(node):
            raise scanner.error("repeating what may be empty is not supported")
        stacked = not (scanner.oniguruma and braces)
        if scanner.oniguruma and braces and scanner.sees("?") and least == most:
            node = Repeat(node, least, most)  # x{2}? is (?:x{2})? there
        elif scanner.takes("?"):
            node = Repeat(node, least, most, lazy=True)
            stacked = True
        elif not (scanner.oniguruma and braces) and scanner.takes("+"):
            node = Atomic(Repeat(node, least, most))
        else:
            node = Repeat(node, least, most)
        if size_of(node) > LARGEST:
            raise scanner.error(f"repetitions in one another make more than {LARGEST} parts")
    return node


def counted(scanner: Scanner) -> tuple[int, int | None, bool] | None:
    """(least, most, is it in braces?) of a mark of repetition, or None if there is none."""
    for mark, (least, most) in {"*": (0, None), "+": (1, None), "?": (0, 1)}.items():
        if scanner.takes(mark):
            return least, most, False
    end = scanner.source.find("}", scanner.place)
    if not scanner.sees("{") or end < 0:
        return None
    low, comma, high = scanner.source[scanner.place + 1 : end].partition(",")
    numbers = [text for text in (low, high) if text]
    if not numbers or not all(text.isascii() and text.isdigit() for text in numbers):
        return None  # a plain brace
    least = int(low or 0)
    upper = int(high) if high else None if comma else least
    if max(least, upper or 0) > MOST or (upper is not None and upper < least):
        raise scanner.error(f"{{{low}{comma}{high}}} is no count of up to {MOST}, least first")
    scanner.place = end + 1
    return least, upper, True
