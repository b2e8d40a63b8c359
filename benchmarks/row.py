"""One line of the table of measurements."""

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """What was measured, against what, both figures, their unit, how many times better, a note."""

    what: str
    against: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    note: str


def print_rows(rows: Iterable[Row]) -> None:
    """Print each row as soon as it is measured."""
    for row in rows:
        print(f"{row.what}: {row.ours:.3g} {row.unit}, {row.against} {row.theirs:.3g} {row.unit}, "
              f"{row.ratio:.2f}x ({row.note})", flush=True)
