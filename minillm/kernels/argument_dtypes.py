"""Which arrays the twins take: all numbers in float32, or all in float64.

The definitions are generic; a twin given other numbers would fail without a name or compute in
another precision than its definition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

FLOATS = (np.float32, np.float64)
OTHERS = {"ids": ("iu", "integers"), "labels": ("iu", "integers"), "start": ("iu", "integers"),
          "reach": ("iu", "integers"), "negatives": ("iu", "integers"),
          "place": ("iu", "integers"),
          "mask": ("b", "bool, True where attention is allowed")}


def forms(values: Iterable[Any]) -> tuple[Any, ...]:
    """The dtype and shape of each array, or those of a tuple of arrays; None for what is none."""
    return tuple([(x.dtype, x.shape) if type(x) is ndarray else forms(x) if type(x) is tuple
                  else None for x in values])


def check_dtypes(op: str, arguments: dict[str, Any]) -> None:
    """Raise a TypeError that names the argument unless the twin of ``op`` computes with these
    what the definition does."""
    first = None
    for name, value in arguments.items():
        for array in value if isinstance(value, tuple) else (value,):
            if not isinstance(array, np.ndarray):
                continue
            if name in OTHERS:
                kinds, expected = OTHERS[name]
                if array.dtype.kind not in kinds:
                    raise TypeError(f"{op}: {name} has dtype {array.dtype}; expected {expected}")
                continue
            if array.dtype not in FLOATS:
                raise TypeError(f"{op}: {name} has dtype {array.dtype}; the twins take float32 or "
                                "float64; convert it, or use backend('numpy')")
            first = first or (name, array.dtype)
            if array.dtype != first[1]:
                raise TypeError(f"{op}: {name} has dtype {array.dtype}, but {first[0]} {first[1]}; "
                                "the twins take arrays of one dtype; convert one, or use "
                                "backend('numpy')")
