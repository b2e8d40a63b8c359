"""Glossary terms that show their definition and Chinese name where a chapter uses them.

The glossary page is the only source. Its definitions are written to ``_static/terms.js``, a plain
script (a page opened from disk may not fetch a data file), which ``book.js`` shows as a tooltip.
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

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
    app.connect("env-updated", write)
    app.add_js_file("terms.js")
