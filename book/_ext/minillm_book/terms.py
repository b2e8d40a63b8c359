"""Glossary terms that show their definition and Chinese name where a chapter uses them.

The glossary page is the only source. Its definitions are written to ``_static/terms.js``, a plain
script (a page opened from disk may not fetch a data file), which ``book.js`` shows as a tooltip.
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .numbers import chapter_number

GLOSSARY = "book/glossary"


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Remember term, Chinese name and definition of every entry of the glossary page."""
    if app.env.docname != GLOSSARY:
        return
    found: dict[str, list[str]] = {}
    for item in doctree.findall(nodes.definition_list_item):
        definition = next(item.findall(nodes.definition)).deepcopy()
        chinese = []
        for node in list(definition.findall(nodes.inline)):
            if "zh" in node["classes"]:
                chinese.append(node.astext())
                node.parent.remove(node)
        text = " ".join(definition.astext().split()).lstrip("—· ")
        for term in item.findall(nodes.term):
            found[term["ids"][0]] = [term.astext(), "、".join(chinese), text]
    app.env.minillm_terms = found  # type: ignore[attr-defined]


def remember_uses(app: Sphinx, doctree: nodes.document) -> None:
    """Note which terms a chapter marks, before their links are resolved."""
    docname = app.env.docname
    if chapter_number(docname) is None:
        return
    uses = {node["reftarget"].lower() for node in doctree.findall(addnodes.pending_xref)
            if node.get("reftype") == "term"}
    if not hasattr(app.env, "minillm_uses"):
        app.env.minillm_uses = {}  # type: ignore[attr-defined]
    app.env.minillm_uses[docname] = uses  # type: ignore[attr-defined]


def link_back(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """On the glossary page: letters to jump to, and after each entry the chapters that use it."""
    if docname != GLOSSARY:
        return
    uses = getattr(app.env, "minillm_uses", {})
    letters: dict[str, str] = {}
    for item in doctree.findall(nodes.definition_list_item):
        term = item.next_node(nodes.term)
        letters.setdefault(term.astext()[0].upper(), term["ids"][0])
        pages = sorted(page for page, terms in uses.items()
                       if term.astext().lower() in terms and page in app.env.found_docs)
        if pages:
            item.next_node(nodes.definition).append(links_to(app, pages))
    place = next(doctree.findall(addnodes.glossary))
    line = nodes.paragraph(classes=["glossary-letters"])
    for letter, target in sorted(letters.items()):
        line += [nodes.reference("", letter, refid=target, internal=True), nodes.Text(" ")]
    place.parent.insert(place.parent.index(place), line)


def links_to(app: Sphinx, pages: list[str]) -> nodes.paragraph:
    """"Chapters 3, 4": links to the chapters that use a term."""
    line = nodes.paragraph("", "Chapter " if len(pages) == 1 else "Chapters ",
                           classes=["glossary-uses"])
    for i, page in enumerate(pages):
        line += [nodes.Text(", ")] if i else []
        line += nodes.reference("", str(chapter_number(page)), internal=True,
                                refuri=app.builder.get_relative_uri(GLOSSARY, page))
    return line


def write(app: Sphinx, env: BuildEnvironment) -> None:
    """Write the script that holds all terms, before the pages that load it."""
    found = getattr(env, "minillm_terms", {})
    target = Path(app.outdir, "_static", "terms.js")
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True).replace("</", "<\\/")
    target.write_text(f"window.MINILLM_TERMS = {text};\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Collect the terms while reading, write them once everything was read."""
    app.connect("doctree-read", collect)
    app.connect("doctree-read", remember_uses)
    app.connect("env-updated", lambda app, env: [GLOSSARY])  # it lists what the others use
    app.connect("doctree-resolved", link_back)
    app.connect("env-updated", write)
    app.add_js_file("terms.js")
