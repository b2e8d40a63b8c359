"""What a page says about itself: its description, how to run it, what stands between it and the
next chapter."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx

from .numbers import chapter_number

LONGEST = 200  # characters of a description


@cache
def parts(source_folder: str) -> list[dict]:
    """The parts of the book as chapters.yml has them."""
    return yaml.safe_load(Path(source_folder, "book", "chapters.yml").read_text(encoding="utf-8"))


def description(doctree: nodes.document) -> str:
    """The question of a chapter's card, or a page's first paragraph."""
    for item in doctree.findall(nodes.definition_list_item):
        if item.next_node(nodes.term).astext() == "Question":
            return shortened(item.next_node(nodes.definition).astext())
    first = next(iter(doctree.findall(nodes.paragraph)), None)
    return shortened(first.astext() if first else "")


def shortened(text: str) -> str:
    """The text on one line, cut at a word when it is too long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def bridge(app: Sphinx, number: int) -> str:
    """What a reader of this chapter has to know of chapters not yet written that follow it."""
    written = {chapter_number(page) for page in app.env.found_docs}
    said = []
    for part in parts(app.srcdir):
        for chapter in part["chapters"]:
            if chapter[0] > number:
                if chapter[0] in written:
                    return " ".join(said)
                said.append(part.get("bridges", {}).get(chapter[0], ""))
    return ""


def add_context(app: Sphinx, page: str, template: str, context: dict,
                doctree: nodes.document | None) -> None:
    """Give the template of a page what it shows."""
    context["description"] = description(doctree) if doctree else ""
    number = chapter_number(page)
    if number is not None:
        name = page.rpartition("/")[2]
        context["install"] = {"notebook": f"../_sources/notebooks/{name}.ipynb"}
        context["bridge"] = bridge(app, number)


def chinese_title(app: Sphinx, doctree: nodes.document) -> None:
    """Put a chapter's name in Chinese below its title, where readers and the search find it."""
    number = chapter_number(app.env.docname)
    title = next(iter(doctree.findall(nodes.title)), None)
    if number is None or title is None:
        return
    name = next(chapter[3] for part in parts(app.srcdir) for chapter in part["chapters"]
                if chapter[0] == number)
    line = nodes.paragraph("", name, classes=["chapter-zh"])
    title.parent.insert(title.parent.index(title) + 1, line)


def calm_formulas(app: Sphinx, config) -> None:
    """Formulas of one size, without the menu that makes each of them a stop of the Tab key."""
    config.mathjax3_config = {**(config.mathjax3_config or {})}
    options = config.mathjax3_config.setdefault("options", {})
    options["enableMenu"] = False
    config.mathjax3_config["chtml"] = {"matchFontHeight": False, "scale": 1.1}


def setup(app: Sphinx) -> None:
    """Take part in reading and writing pages."""
    app.connect("config-inited", calm_formulas, priority=900)
    app.connect("doctree-read", chinese_title)
    app.connect("html-page-context", add_context)
