"""Two versions of each hot operation, and the switch between them.

The *definition* is pure NumPy, written to be read. Its *twin* is a Numba kernel of the same name
and signature, in the file of the same name under ``minillm/kernels``. Numba is imported when the
first twin is needed, and where it is not installed the definitions do all the work.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from importlib.util import find_spec
from inspect import signature
from typing import Any

TWINS: list[Any] = []
MOST_FORMS = 4096  # a cache that grows has another shape at each step
_active = ContextVar("minillm_backend", default="numba" if find_spec("numba") else "numpy")


def active_backend() -> str:
    """Name of the backend in use, ``"numpy"`` or ``"numba"``."""
    return _active.get()


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Use the ``"numpy"`` definitions or their ``"numba"`` twins inside a ``with`` block.

    The choice is the thread's own (a context variable): other threads do not see it, except those
    that this package starts to share the work. A thread or a pool of yours begins with the
    default; to hand the choice on, let it run ``copy_context().run(function)``.
    """
    if name not in ("numpy", "numba"):
        raise ValueError(f"name={name!r} is not a backend; use 'numpy' or 'numba'")
    if name == "numba" and find_spec("numba") is None:
        raise ValueError("name='numba', but Numba is not installed; run: pip install numba")
    token = _active.set(name)
    try:
        yield
    finally:
        _active.reset(token)


def twin(definition: Callable) -> Any:
    """Pair a definition with the function of the same name in ``minillm.kernels``.

    The result calls whichever the backend asks for. Both stay reachable, as ``op.numpy`` and
    ``op.numba``, so that a chapter can show, compare and time them.
    """
    module, name = definition.__module__.rpartition(".")[2], definition.__name__
    checked: set[tuple] = set()  # dtypes and shapes of the arguments of earlier calls

    def kernel(*args: Any, **kwargs: Any) -> Any:
        if op._kernel is None:
            home = importlib.import_module("minillm.kernels.argument_dtypes")
            shapes = importlib.import_module("minillm.kernels.argument_shapes")
            op._forms, op._checks = home.forms, (home.check_dtypes, shapes.check_shapes)
            op._kernel = getattr(importlib.import_module(f"minillm.kernels.{module}"), name)
        found = op._forms(args)
        if kwargs:
            found += (*kwargs, *op._forms(kwargs.values()))
        if found not in checked:
            arguments = signature(definition).bind(*args, **kwargs).arguments
            for check in op._checks:
                check(name, arguments)
            if len(checked) >= MOST_FORMS:
                checked.clear()
            checked.add(found)
        return op._kernel(*args, **kwargs)

    @wraps(definition)
    def chosen(*args: Any, **kwargs: Any) -> Any:
        return (kernel if _active.get() == "numba" else definition)(*args, **kwargs)

    op: Any = chosen
    op._kernel = None
    op.numpy, op.numba = definition, kernel
    TWINS.append(op)
    return op
