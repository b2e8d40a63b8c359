"""What every finished page goes through: Chinese text is marked as such, ballast is left out."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

from .listings import with_lines
from .search import HAN

# A stretch of Chinese: characters with the punctuation and spaces between them.
SIGNS = r"\u3000-\u303f\uff00-\uff65"
CHINESE = re.compile(rf"[{HAN}](?:[{HAN}{SIGNS}“”‘’…—·]*[{HAN}{SIGNS}])?")
TOKEN = re.compile(r"<!--.*?-->|<[^>]+>|[^<]+", re.S)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
        "track", "wbr"}
SKIP = {"script", "style", "title", "textarea", "head"}
NAME = re.compile(r"</?([\w-]+)")
BALLAST = re.compile(r'\s*<script[^>]*(?:fontawesome|thebe)\.js[^>]*></script>'
                     r'|\s*<link[^>]*sphinx-thebe\.css[^>]*>')
SEARCH = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js'
                    r'[^>]*></script>')
MATHJAX = re.compile(r"\s*<script[^>]*mathjax[^>]*></script>"
                     r"|\s*<script>window\.MathJax[^<]*</script>")


SVG_TEXT = re.compile(r"<text\b(?![^>]* lang=)([^>]*)>([^<]*)")


def mark_chinese(html: str) -> str:
    """The page with lang="zh" around Chinese text, so that it is drawn and spoken as Chinese."""
    result: list[str] = []
    open_tags: list[tuple[str, bool]] = []  # name; whether what is inside is left as it is
    for token in TOKEN.findall(html):
        if token.startswith("<"):
            name = NAME.match(token)
            if name is None or token.endswith("/>"):
                result.append(token)
            elif token.startswith("</"):
                while open_tags and open_tags.pop()[0] != name[1]:
                    pass
                result.append(token)
            else:
                tag = name[1].lower()
                if tag not in VOID:
                    above = open_tags[-1][1] if open_tags else False
                    own = tag in SKIP or tag == "svg" or (' lang="' in token and tag != "html")
                    open_tags.append((name[1], above or own))
                result.append(token)
        elif open_tags and not open_tags[-1][1] and CHINESE.search(token):
            result.append(CHINESE.sub(lambda found: f'<span lang="zh">{found[0]}</span>', token))
        else:
            result.append(token)
    return SVG_TEXT.sub(chinese_svg_text, "".join(result))


def chinese_svg_text(found: re.Match[str]) -> str:
    """A text of a drawing, which cannot hold a span, says itself that it is Chinese."""
    lang = ' lang="zh"' if CHINESE.search(found[2]) else ""
    return f"<text{lang}{found[1]}>{found[2]}"


def tidy(html: str, page: str) -> str:
    """A finished page as it is written."""
    html = BALLAST.sub("", html)
    if page != "search":
        html = SEARCH.sub("", html)
    if 'class="math' not in html:
        html = MATHJAX.sub("", html)
    parts = re.split(r'(<div class="minillm-source">.*?</pre>)', html, flags=re.S)
    html = "".join(with_lines(p) if p.startswith('<div class="minillm') else p for p in parts)
    return mark_chinese(html)


def setup(app: Sphinx) -> None:
    """Let every page pass through ``tidy`` on its way to the disk."""

    def wrap(app: Sphinx) -> None:
        if app.builder.format != "html":
            return
        templates = app.builder.templates
        render = templates.render

        def render_tidily(template: str, context: dict[str, Any]) -> str:
            html = render(template, context)
            return tidy(html, context["pagename"]) if "pagename" in context else html

        templates.render = render_tidily

    app.connect("builder-inited", wrap)
