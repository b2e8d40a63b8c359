"""One pattern that finds any of thousands of strings in one pass over a text."""

import re
from functools import lru_cache
from itertools import groupby

DEEPEST = 40  # groups in one another


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
