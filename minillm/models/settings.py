"""Checks of the settings that configs of models share; each names the setting at fault."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from ..checks import check, is_whole
from ..nn import Experts
from ..nn.dropping import check_rate

# Each stores what it has checked as a plain number of Python's: NumPy's cannot be stored as JSON.


def whole_numbers(config: Any, *names: str, optional: Container[str] = ()) -> None:
    """Sizes: whole numbers of at least 1; those in ``optional`` may be None."""
    for name in names:
        value = getattr(config, name)
        if value is None and name in optional:
            continue
        check(name, value, is_whole(value) and value >= 1, "a whole number of at least 1")
        object.__setattr__(config, name, int(value))


def switches(config: Any, *names: str) -> None:
    """True or False."""
    for name in names:
        value = getattr(config, name)
        check(name, value, isinstance(value, (bool, np.bool_)), "True or False")
        object.__setattr__(config, name, bool(value))


def choices(config: Any, **known: Iterable[str]) -> None:
    """Names of parts, such as norm=NORMS."""
    for name, those in known.items():
        value = getattr(config, name)
        check(name, value, isinstance(value, str) and value in those,
              f"one of {', '.join(those)}")


def small_number(config: Any, name: str) -> None:
    """What a norm adds to the variance."""
    value = getattr(config, name)
    check(name, value, not isinstance(value, bool) and isinstance(value, (int, float))
          and 0 < value < 1, "a number between 0 and 1")


def parts_of_blocks(config: Any) -> None:
    """The share to drop, heads that share the width evenly, and experts, as a file holds them."""
    object.__setattr__(config, "experts", Experts.of(config.experts))
    object.__setattr__(config, "dropout", check_rate(config.dropout))
    if config.width % config.heads:
        raise ValueError(f"width={config.width} is not a multiple of heads={config.heads}; each "
                         "head takes an equal part of the width")
