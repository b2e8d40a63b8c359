"""The map of the book on its cover: all parts and chapters, the written ones as links.

What is written is read from the table of contents, so the map cannot go stale.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from .downloads import glued
from .numbers import chapter_number
from .pages import parts


class MapNode(nodes.General, nodes.Element):
    """Place of the map; filled in when all titles are known."""


class BookMap(Directive):
    """``{book-map}``: the map of all chapters."""

    def run(self) -> list[nodes.Node]:
        """Put the place holder on a page that is read again at every build."""
        self.state.document.settings.env.note_reread()
        return [MapNode()]


def map_html(parts: list[dict], written: dict[int, tuple[str, str]]) -> str:
    """HTML of the map. ``written`` gives link and title of the chapters that exist."""
    html = ['<div class="book-map">']
    for part in parts:
        html.append(f'<section><p class="book-map-part">{escape(part["part"])}</p><ol>')
        for number, _slug, title, _chinese in part["chapters"]:
            count = f'<span class="book-map-number">{number}</span>'
            if number in written:
                link, title = written[number]
                label = f'<a href="{escape(link)}">{count}<span>{escape(title)}</span></a>'
                html.append(f'<li class="book-map-written">{label}</li>')
            else:
                hidden = '<span class="visually-hidden">, to come</span>'
                label = f"<span>{count}<span>{escape(title)}{hidden}</span></span>"
                html.append(f'<li class="book-map-planned">{label}</li>')
        html.append("</ol></section>")
    return "".join([*html, "</div>"])


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Draw the map, with the titles the chapters give themselves."""
    places = list(doctree.findall(MapNode))
    if not places:
        return
    written = {
        number: (app.builder.get_relative_uri(docname, page), title.astext())
        for page, title in app.env.titles.items()
        if (number := chapter_number(page)) is not None
    }
    html = map_html(parts(app.srcdir), written)
    for place in places:
        place.replace_self(nodes.raw("", html, format="html"))


class Story(Directive):
    """``{book-story}``: a story that the storyteller of chapter 22 wrote when the chapter ran."""

    def run(self) -> list[nodes.Node]:
        """The glued text of the chapter, as a quotation."""
        env = self.state.document.settings.env
        path = Path(env.srcdir, "notebooks", "22_training_gpt.ipynb")
        env.note_dependency(str(path))
        text = glued(nbformat.read(path, as_version=4))["training-story"]
        paragraphs = [nodes.paragraph("", part) for part in text.split("\n") if part.strip()]
        return [nodes.block_quote("", *paragraphs, classes=["book-story"])]


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("book-story", Story)
    app.add_node(MapNode)
    app.add_directive("book-map", BookMap)
    app.connect("doctree-resolved", fill)
