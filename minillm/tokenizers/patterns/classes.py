"""Classes in brackets: ``[^a-z[:alpha:]&&[^\\d]]``."""

from ..text.unicode_classes import Ranges, complement, intersection, union
from .scanning import ONLY_ASCII, POSIX, Scanner, one, posix_class
from .tree import Chars

DEEPEST = 50  # classes inside classes


def bracket(scanner: Scanner, depth: int) -> Chars:
    """A class, from after its opening bracket on."""
    if depth > DEEPEST:
        raise scanner.error(f"classes stand in one another more than {DEEPEST} deep")
    negated = scanner.takes("^")
    members, spelled = terms(scanner, depth)
    while not scanner.takes("]"):
        operation = scanner.take() + scanner.take()
        other, spelled = terms(scanner, depth)[0], None
        if operation == "&&":
            members = intersection(members, other)
        elif operation == "--":
            members = intersection(members, complement(other))
        else:
            both = intersection(members, other)
            members = intersection(union(members, other), complement(both))
    if scanner.ignore_case:
        members, spelled = scanner.with_case(Chars(members)).ranges, None
    if negated:
        members = complement(members)
    return Chars(members, None if spelled is None else f"[{'^' * negated}{spelled}]")


def at_operation(scanner: Scanner) -> bool:
    """Does an operation of sets, such as ``&&``, come next?"""
    marks = ("&&",) if scanner.oniguruma else ("&&", "--", "~~")
    return any(map(scanner.sees, marks))


def terms(scanner: Scanner, depth: int) -> tuple[Ranges, str | None]:
    """The union of what stands up to the class's end or an operation; how to spell it."""
    found: list[Chars] = []
    first = True
    while not at_operation(scanner) and not (scanner.sees("]") and not first):
        if scanner.spaced and not scanner.oniguruma and scanner.source[scanner.place].isspace():
            scanner.take()
            continue
        found.append(term(scanner, depth, first))
        first = False
    spelled = [chars.spelled for chars in found]
    text = None if None in spelled else "".join(map(str, spelled))
    return union(*(chars.ranges for chars in found)), text


def term(scanner: Scanner, depth: int, first: bool) -> Chars:
    """One character, range, escape or class in a class."""
    if scanner.takes("[:"):
        return posix(scanner)
    if scanner.takes("["):
        return Chars(bracket(scanner, depth + 1).ranges)
    low = single(scanner)
    if isinstance(low, Chars):
        if scanner.sees("-") and not scanner.sees("-]") and not scanner.sees("--"):
            raise scanner.error("a range cannot begin with a class")
        return low
    ranged = scanner.sees("-") and not scanner.sees("-]") and not scanner.sees("--")
    if not ranged or (low == ord("-") and first):
        return one(low)
    scanner.take()
    high = single(scanner)
    if isinstance(high, Chars) or high < low:
        raise scanner.error("a range must go from a character to a later one")
    return Chars(((low, high),), f"{one(low).spelled}-{one(high).spelled}")


def single(scanner: Scanner) -> int | Chars:
    """The code point of a character or escape in a class, or the set that it stands for."""
    c = scanner.take()
    if c != "\\":
        return ord(c)
    letter = scanner.take()
    if letter == "b":
        return 8
    found = scanner.set_of(letter, inside=True)
    if found is not None:
        return found
    code = scanner.code(letter)
    if code is None:
        raise scanner.error(f"\\{letter} in a class is not supported")
    return code


def posix(scanner: Scanner) -> Chars:
    """``[:name:]`` or ``[:^name:]``, from after ``[:`` on."""
    name = scanner.until(":]")
    negated, name = name.startswith("^"), name.removeprefix("^")
    if name not in POSIX:
        raise scanner.error(f"[:{name}:] is no class; known are {', '.join(POSIX)}")
    members = posix_class(name) if scanner.oniguruma else ONLY_ASCII[name]
    return Chars(complement(members) if negated else members)
