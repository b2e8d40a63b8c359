"""Checks of arguments that several parts of the package share."""

from __future__ import annotations

from numbers import Integral, Real


def check(name: str, value, holds: bool, expected: str) -> None:
    """Raise a ValueError that names the argument unless ``holds``."""
    if not holds:
        raise ValueError(f"{name}={value!r}: expected {expected}")


def is_whole(value) -> bool:
    """Whether it is a whole number, Python's or NumPy's; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value) -> bool:
    """Whether it is a real number, Python's or NumPy's; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_positive(value) -> bool:
    """Whether it is a number above zero."""
    return is_number(value) and value > 0
