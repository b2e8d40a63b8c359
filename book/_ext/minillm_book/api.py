"""API pages: the line ``API: minillm.ops`` on a page becomes the documentation of its modules.

The list of modules is made from what the package holds. Docstrings are plain text, as a reader
sees them in a terminal: paragraphs, bullets, indented blocks; only ``code`` is marked. They are
turned into safe markup here, so an equation such as y_i = x_i * w never breaks the build.
"""

from __future__ import annotations

import importlib
import pkgutil
import re

from sphinx.application import Sphinx
from sphinx.util import logging

LINE = re.compile(r"^API: ([\w.]+)$", re.MULTILINE)
CODE = re.compile(r"((?::\w+:)?(?:``.+?``|`[^`]+`))")
EMPHASIS = re.compile(r"(?<![\w*\\])\\\*(\w[\w -]*)\\\*(?![\w*])")
BULLET = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
log = logging.getLogger(__name__)


def modules_of(name: str) -> list[str]:
    """A module and its public submodules, those that can be imported."""
    found = []
    try:
        package = importlib.import_module(name)
    except ImportError as error:
        log.info("API pages leave out %s: %s", name, error)
        return []
    if not hasattr(package, "__path__"):
        return [name]
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if not info.name.startswith("_"):
            found += modules_of(f"{name}.{info.name}")
    return [name, *found]


def directives(name: str) -> str:
    """Markdown that documents one package: a heading and an automodule for every module."""
    text = []
    for module in modules_of(name):
        title = f"## `{module}`\n\n" if module != name else ""
        options = "   :members:\n   :ignore-module-all:\n"
        text.append(f"{title}```{{eval-rst}}\n.. automodule:: {module}\n{options}```\n")
    return "\n".join(text)


def expand(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the API lines of a page."""
    if docname.startswith("book/api") and LINE.search(source[0]):
        app.env.note_reread()  # the package may have new modules
        source[0] = LINE.sub(lambda found: directives(found[1]), source[0])


def safe(text: str) -> str:
    """Plain text with all markup escaped, except ``code`` and *emphasis*."""
    parts = CODE.split(text)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"``{part[part.index('`') :].strip('`')}``"
        else:
            parts[i] = EMPHASIS.sub(r"*\1*", re.sub(r"([\\*_|`])", r"\\\1", part))
    return "".join(parts)


def plain_docstring(app, what: str, name: str, obj, options, lines: list[str]) -> None:
    """Rewrite a docstring, paragraph by paragraph, as markup that means what it looks like."""
    result: list[str] = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        rows = block.split("\n")
        if BULLET.match(rows[0]) and not rows[0].startswith("    "):
            for row in rows:
                mark = BULLET.match(row)
                result.append("- " + safe(row[mark.end() :]) if mark else "  " + safe(row.strip()))
        elif any(row.startswith((" ", "\t")) for row in rows) or ">>>" in block:
            if not rows[0].startswith(" ") and ">>>" not in rows[0]:
                result += [safe(rows.pop(0)), ""]
            result += ["::", "", *("    " + row for row in rows)]
        else:
            result += [safe(row) for row in rows]
        result.append("")
    lines[:] = result


def setup(app: Sphinx) -> None:
    """Connect both steps."""
    app.connect("source-read", expand)
    app.connect("autodoc-process-docstring", plain_docstring)
