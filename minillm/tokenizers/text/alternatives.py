"""One pattern that finds any of thousands of strings in one pass over texts."""

import re
from functools import lru_cache
from itertools import chain, groupby, repeat
from operator import add

from .segments import BETWEEN, Continued

DEEPEST = 40  # groups in one another
Patterns = tuple[re.Pattern[str] | None, re.Pattern[str] | None]  # of strings to use, to refuse


@lru_cache(256)
def pattern_of(forms: frozenset[str]) -> re.Pattern[str]:
    """Finds the leftmost of these strings, and of those that start there the longest.

    As a group, so that ``split`` keeps what it finds.
    """
    return re.compile(f"({one_of(sorted(forms), 0)})" if forms else "((?!))")


def one_of(forms: list[str], shared: int, depth: int = 0) -> str:
    """The pattern of what follows the first `shared` characters, which all forms (sorted) share.

    Alternatives with the same beginning share it in the pattern as well, so that of thousands few
    are tried at a place.
    """
    if depth > DEEPEST:
        return "|".join(re.escape(form[shared:]) for form in reversed(forms))  # the longer first
    options = []
    for _, group in groupby(forms, lambda form: form[shared : shared + 1]):
        same = list(group)
        ends = zip(same[0], same[-1])
        common = next((k for k, (a, b) in enumerate(ends) if a != b), len(same[0]))
        rest = [form for form in same if len(form) > common]
        more = one_of(rest, common, depth + 1) if rest else ""
        optional = "?" if len(rest) < len(same) else ""
        options.append(re.escape(same[0][shared:common])
                       + (f"(?:{more}){optional}" if rest else ""))
    return "|".join(options)


def split_together(
    texts: list[str], searches: list[Patterns], placed: bool
) -> tuple[list[str], list[str | None]] | None:
    """(what lies between the strings that are found, the string behind each part) of a few texts.

    They are put together for it, so that Python calls each pattern once. One search after another
    goes over what is left. None stands behind the last part of a text. placed: parts behind a
    string are ``Continued``. None at all if a string is there that is refused.
    """
    found = [BETWEEN.join(texts)]
    for usable, guarded in searches:
        if guarded and any(guarded.search(part) for part in found[0::2]):
            return None
        if usable:
            rows = [usable.split(part) for part in found[0::2]]
            found = [*chain(*map(add, rows, [*([token] for token in found[1::2]), []]))]
    if len(found) == 1:
        return texts, [None] * len(texts)
    ends = [*map(str.count, found[0::2], repeat(BETWEEN))]  # of texts, before each string
    if sum(ends) != len(texts) - 1:
        return None
    parts = BETWEEN.join(found[0::2]).split(BETWEEN)
    strings: list[str | None] = []
    for count, string in zip(ends, [*found[1::2], None], strict=True):
        if count:
            strings += [None] * count
        strings.append(string)
    for k in range(1, len(parts) if placed else 0):
        if strings[k - 1] is not None:
            parts[k] = Continued(parts[k])
    return parts, strings
