"""The source of a function as it stands in the package, so that a chapter never pastes code."""

from __future__ import annotations

import inspect
from html import escape
from pathlib import Path
from textwrap import dedent
from typing import Any

from .html import SANS, Html

PACKAGE = Path(__file__).resolve().parent.parent


def source(thing: Any, kernel: bool = False, doc: bool = True) -> Html:
    """Show the source of a function, class or module of minillm with the name of its file.

    Of an operation with a Numba twin, the NumPy definition is shown, or with kernel=True the twin.
    doc=False leaves out the docstring. There are no line numbers: they would go stale.
    Raises TypeError for things without Python source.
    """
    if hasattr(thing, "numpy") and hasattr(thing, "numba"):
        thing = _kernel_of(thing) if kernel else thing.numpy
    elif kernel:
        raise ValueError(f"{thing!r} has no Numba twin; leave out kernel=True")
    thing = inspect.unwrap(getattr(thing, "py_func", thing))  # what a decorator has wrapped
    try:
        code, path = inspect.getsource(thing), inspect.getsourcefile(thing)
    except (TypeError, OSError) as error:
        raise TypeError(f"{thing!r} has no Python source to show") from error
    code = dedent(code).rstrip()
    if not doc and thing.__doc__:
        code = _without_docstring(code)
    file = Path(path or "").resolve()
    inside = file.is_relative_to(PACKAGE)
    name = "minillm/" + file.relative_to(PACKAGE).as_posix() if inside else file.name
    label = f'<div style="font-size:.82em;opacity:.85;{SANS}"><code>{escape(name)}</code></div>'
    return Html(f'<div class="minillm-source">{label}{_highlighted(code)}</div>', f"{name}\n{code}")


def _kernel_of(op: Any) -> Any:
    import importlib

    home = op.numpy.__module__.rpartition(".")[2]
    return getattr(importlib.import_module(f"minillm.kernels.{home}"), op.numpy.__name__)


def _without_docstring(code: str) -> str:
    import ast

    node = ast.parse(code).body[0]
    body = getattr(node, "body", [])
    if len(body) < 2 or ast.get_docstring(node) is None:  # type: ignore[arg-type]
        return code
    lines = code.split("\n")
    return "\n".join(lines[: body[0].lineno - 1] + lines[body[0].end_lineno :])


def _highlighted(code: str) -> str:
    try:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return f"<pre>{escape(code)}</pre>"
    return highlight(code, PythonLexer(), HtmlFormatter(cssclass="highlight")).strip()
