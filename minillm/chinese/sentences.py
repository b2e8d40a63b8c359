"""A few hundred clauses cut into words by hand, which come with the package."""

from functools import cache
from importlib.resources import files


@cache
def segmented_sentences() -> tuple[tuple[str, ...], ...]:
    """The words of each clause, without punctuation."""
    text = files(__package__).joinpath("sentences.txt").read_text(encoding="utf-8")
    return tuple(
        tuple(line.split()) for line in text.splitlines() if line and not line.startswith("#")
    )
