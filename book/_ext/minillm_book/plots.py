"""Plots get the text that a chapter gives for those who do not see them.

A plot is drawn inside the page and names itself; the cell that made it holds the better text.
"""

from __future__ import annotations

import json
from html import escape

from sphinx.application import Sphinx

from .numbers import chapter_number

NAME = 'role="img" aria-label="'


def describe(html: str, text: str) -> str:
    """The drawings of a plot, named by the text."""
    first, *others = html.split(NAME)
    name = NAME + escape(text, quote=True)
    return first + "".join(name + other[other.index('"'):] for other in others)


def give_texts(app: Sphinx, docname: str, source: list[str]) -> None:
    """Change the outputs of a notebook before it is read."""
    if chapter_number(docname) is None:
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        text = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
        for output in cell.get("outputs", []) if text else []:
            html = "".join(output.get("data", {}).get("text/html", ""))
            if "minillm-plot" in html:
                output["data"]["text/html"] = describe(html, text)
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> None:
    """Read every source before Sphinx does."""
    app.connect("source-read", give_texts)
