"""Lines of listings and outputs that are too long for the page wrap, with a hanging indent.

Every line becomes an element of its own that knows how far it is indented; book.css does the rest.
The text itself, and with it what the copy button copies, stays as it was.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

LISTING = re.compile(r"(<pre[^>]*>(?:<span></span>)?)(.*?)(</pre>)", re.S)
TAG = re.compile(r"<[^>]+>")


def with_lines(html: str) -> str:
    """The HTML of listings, each line of each of them in a span."""
    return LISTING.sub(lambda found: found[1] + lines(found[2]) + found[3], html)


def lines(body: str) -> str:
    """Lines of highlighted code. Pygments closes its spans at the end of every line."""
    return "\n".join(map(line, body.split("\n")))


def line(html: str) -> str:
    """One line; an empty one, or one whose tags go over its end, stays as it is."""
    text = TAG.sub("", html)
    if not text.strip() or html.count("<span") != html.count("</span"):
        return html
    indent = len(text) - len(text.lstrip(" "))
    style = f' style="--indent:{indent}"' if indent else ""
    return f'<span class="line"{style}>{html}</span>'


def setup(app: Sphinx) -> None:
    """Wrap what Sphinx's highlighter returns for HTML."""
    highlight = PygmentsBridge.highlight_block

    def highlight_block(self: PygmentsBridge, *arguments: Any, **options: Any) -> str:
        html = highlight(self, *arguments, **options)
        return with_lines(html) if self.dest == "html" else html

    PygmentsBridge.highlight_block = highlight_block  # type: ignore[method-assign]
