"""One line of the table of measurements."""

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
