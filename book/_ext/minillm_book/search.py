"""Search that finds English words by their stem and Chinese words by their characters.

Sphinx splits text at white space, so a Chinese sentence becomes one unfindable word. Here every
run of Chinese characters is indexed as its single characters and its pairs, and the query is cut
into pairs in the same way by the JavaScript below: 注意力 is found where 注意 and 意力 both stand.
English words are stemmed by Sphinx's own English classes on both sides.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.search import IndexBuilder, languages
from sphinx.search.en import SearchEnglish

from . import pages
from .numbers import chapter_number

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
PIECES = re.compile(rf"[{HAN}]+|[^\W{HAN}]+")


def pairs(run: str) -> list[str]:
    """The overlapping pairs of characters in a run; the character itself if it stands alone."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


class SearchEnglishAndChinese(SearchEnglish):
    """English as Sphinx does it; Chinese as single characters and overlapping pairs."""

    lang = "en"
    language_name = "English and Chinese"
    js_splitter_code = f"""
function splitQuery(query) {{
  const words = [];
  for (const word of query.match(/[{HAN}]+|(?:(?![{HAN}])[\\p{{L}}\\p{{M}}\\p{{N}}_])+/gu) || []) {{
    if (!/^[{HAN}]/.test(word) || word.length < 3) {{ words.push(word); continue; }}
    for (let i = 0; i + 1 < word.length; i++) words.push(word.slice(i, i + 2));
  }}
  return words;
}}
"""

    def split(self, text: str) -> list[str]:
        """Words of a text as they are indexed."""
        words: list[str] = []
        for piece in PIECES.findall(text):
            if re.match(f"[{HAN}]", piece):
                words += [*piece, *pairs(piece)] if len(piece) > 1 else [piece]
            else:
                words.append(piece)
        return words


def index_chinese_titles(app: Sphinx) -> None:
    """Chapters are found by their Chinese names as by their titles, and listed with both."""
    names = {number: chinese for part in pages.parts(app.srcdir)
             for number, _slug, _title, chinese in part["chapters"]}
    feed = IndexBuilder.feed

    def feed_both(self: IndexBuilder, docname: str, filename: str, title: str, doctree) -> None:
        number = chapter_number(docname)
        feed(self, docname, filename, title if number is None else f"{title} · {names[number]}",
             doctree)

    IndexBuilder.feed = feed_both  # type: ignore[method-assign]


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's English search."""
    languages["en"] = SearchEnglishAndChinese
    app.connect("builder-inited", index_chinese_titles)
