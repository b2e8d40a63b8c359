"""Checks of the settings that configs of models share; each names the setting at fault."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from ..checks import is_whole
from ..nn.dropping import check_rate

# Each stores what it has checked as a plain number of Python's: NumPy's cannot be stored as JSON.


def whole_numbers(config: Any, *names: str, optional: Container[str] = ()) -> None:
    """Sizes: whole numbers of at least 1; those in ``optional`` may be None."""
    for name in names:
        value = getattr(config, name)
        if value is None and name in optional:
            continue
        if not is_whole(value) or value < 1:
            raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")
        object.__setattr__(config, name, int(value))


def switches(config: Any, *names: str) -> None:
    """True or False."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{name}={value!r}: expected True or False")
        object.__setattr__(config, name, bool(value))


def choices(config: Any, **known: Iterable[str]) -> None:
    """Names of parts, such as norm=NORMS."""
    for name, those in known.items():
        value = getattr(config, name)
        if not isinstance(value, str) or value not in those:
            raise ValueError(f"{name}={value!r}: expected one of {', '.join(those)}")


def small_number(config: Any, name: str) -> None:
    """What a norm adds to the variance."""
    value = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
        raise ValueError(f"{name}={value!r}: expected a number between 0 and 1")


def dropout_and_heads(config: Any) -> None:
    """The share to drop, and heads that share the width evenly."""
    object.__setattr__(config, "dropout", check_rate(config.dropout))
    if config.width % config.heads:
        raise ValueError(f"width={config.width} is not a multiple of heads={config.heads}; each "
                         "head takes an equal part of the width")
