"""The map of the book on its cover: all parts and chapters, the written ones as links.

What is written is read from the table of contents, so the map cannot go stale.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from .numbers import chapter_number


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
                label = f"<span>{count}<span>{escape(title)} <small>planned</small></span></span>"
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
    source = Path(app.srcdir, "book", "chapters.yml").read_text(encoding="utf-8")
    html = map_html(yaml.safe_load(source), written)
    for place in places:
        place.replace_self(nodes.raw("", html, format="html"))


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_node(MapNode)
    app.add_directive("book-map", BookMap)
    app.connect("doctree-resolved", fill)
