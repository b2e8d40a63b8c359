"""Chapters carry the number of their file: notebooks/14_softmax is chapter 14, its figures 14.x.

Sphinx numbers chapters by their place in the table of contents, which would renumber everything
whenever a chapter is added. Later chapters must slot in without renaming anything.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

CHAPTER = re.compile(r"(?:^|/)notebooks/(\d\d)_\w+$")


def chapter_number(docname: str) -> int | None:
    """The number in the file name of a chapter, None for other pages."""
    found = CHAPTER.search("/" + docname)
    return int(found[1]) if found else None


def _number(toc: nodes.Node, prefix: tuple[int, ...], found: dict[str, tuple[int, ...]]) -> None:
    for item in toc.children:
        if isinstance(item, nodes.bullet_list):
            for count, child in enumerate(item.children, 1):
                _number(child, (*prefix, count), found)
        elif isinstance(item, addnodes.compact_paragraph):
            link = item[0]
            link["secnumber"] = prefix
            found[link["anchorname"]] = prefix


def assign_section_numbers(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
    """Number the sections of every chapter; return the pages whose numbers changed."""
    before, env.toc_secnumbers = env.toc_secnumbers, {}
    for docname in env.found_docs:
        chapter = chapter_number(docname)
        if chapter is None or docname not in env.tocs or not env.tocs[docname].children:
            continue
        found = env.toc_secnumbers.setdefault(docname, {})
        _number(env.tocs[docname][0], (chapter,), found)
        env.titles[docname]["secnumber"] = (chapter,)
    return [doc for doc in env.toc_secnumbers if before.get(doc) != env.toc_secnumbers[doc]]


def setup(app: Sphinx) -> None:
    """Replace Sphinx's numbering by place with numbering by file name."""
    TocTreeCollector.assign_section_numbers = assign_section_numbers  # type: ignore[method-assign]
