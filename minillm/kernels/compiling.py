"""How every kernel is compiled: kept on disk where that is possible, and never in silence.

Numba keeps compiled code beside the source or in the user's cache folder. Where neither can be
written (a read-only installation, a user without a home), kernels are compiled in every process,
and one warning says how to mend it. The first compilation of a process writes one line to stderr:
without it, the first step would be half a minute of silence. What is loaded from disk says
nothing. In a notebook the line is left out, because there stderr becomes part of the stored
output, which would then differ between the first run on a machine and all later ones.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.core import event
from numba.extending import intrinsic

FAST: Any = {"reassoc", "contract", "nsz", "arcp"}
OPTIONS: dict[str, Any] = {"fastmath": FAST, "error_model": "numpy", "cache": True, "nogil": True}
# NUMBA_DISABLE_JIT=1 runs kernels as plain Python.
COMPILED = not getattr(numba.config, "DISABLE_JIT", 0)
PACKAGE = __name__.partition(".")[0] + "."


def njit(function: Callable | None = None, **options: Any) -> Any:
    """``numba.njit``, without the cache on disk where it has no place to be."""
    def decorate(function: Callable) -> Any:
        if not COMPILED:
            return plainly(function)
        try:
            return numba.njit(**options)(function)
        except RuntimeError:
            if not options.get("cache"):
                raise
        kernel = numba.njit(**options | {"cache": False})(function)
        warn_uncached()
        return kernel
    return decorate if function is None else decorate(function)


def plainly(function: Callable) -> Callable:
    """A kernel as Python runs it, with what compiled code takes for granted.

    Whole numbers wrap around, the fields of records are attributes, and nothing warns.
    """
    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        seen = (x.view(Records) if isinstance(x, np.ndarray) and x.dtype.names else x
                for x in arguments)
        with np.errstate(all="ignore"):
            return function(*seen)
    return run


class Records(np.ndarray):
    """An array of records whose fields are attributes; in NumPy's own ``base`` means another."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Record(found) if isinstance(found, np.void) else found


class Record:
    """One of them, in the array's memory."""

    def __init__(self, fields: np.void) -> None:
        object.__setattr__(self, "fields", fields)

    def __getattr__(self, name: str) -> Any:
        return self.fields[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self.fields[name] = value


def instruction(plain: Callable) -> Callable:
    """A decorator of functions that write LLVM's code (Numba's intrinsics).

    ``plain`` is what the code does, in Python; it stands in where nothing is compiled.
    """
    def decorate(write: Callable) -> Any:
        return intrinsic(write) if COMPILED else plain
    return decorate


@functools.cache
def warn_uncached() -> None:
    """Say once that compiled kernels cannot be kept."""
    warnings.warn("minillm's compiled kernels cannot be kept, because neither its folder nor the "
                  "user's cache folder can be written: they are compiled again in every process. "
                  "Set NUMBA_CACHE_DIR to a folder that can be written.", UserWarning, stacklevel=4)


class Notice(event.Listener):
    """Announces the first kernel that is really compiled, not loaded."""

    def __init__(self) -> None:
        self.given = False

    def on_start(self, event: Any) -> None:
        kernel = event.data["dispatcher"]
        ours = kernel.py_func.__module__.startswith(PACKAGE)
        kept, never_kept = kernel.stats.cache_path, warn_uncached.cache_info().currsize
        if self.given or not ours or not (kept or never_kept) or in_notebook():
            return
        self.given = True
        if sys.stderr is None:  # closed: print would write to stdout instead
            return
        when = "happens once" if kept else "happens in every process"
        with contextlib.suppress(OSError, ValueError):  # stderr is full, or was closed later
            print(f"minillm: compiling kernels for this processor, first "
                  f"{kernel.py_func.__name__}; this takes up to a minute and {when}",
                  file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        pass


def in_notebook() -> bool:
    """Is stderr the output of a notebook's cell?"""
    return type(sys.stderr).__module__.startswith("ipykernel")


event.register("numba:compile", Notice())
