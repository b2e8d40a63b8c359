"""Split rules: a regular expression cuts text into the pieces that merges never cross.

``split`` is the definition. The rules with names (``patterns/named_rules.py``) also have scanners
in ``scanning_kernel.py`` that walk over the UTF-8 bytes and find the same pieces.
"""

from ..patterns.matching import matches


def split(text: str, pattern: str) -> list[str]:
    """The pieces of `text` that match `pattern`, a name in PATTERNS or a regular expression.

    >>> split("I'm  here", "gpt2")
    ['I', "'m", ' ', ' here']
    """
    return [match.group() for match in matches(text, pattern)]
