"""Every built page, opened in a real browser at desk and phone width, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import BUILT, built_pages

PAGES = [page for page in built_pages() if page != "index.html"]
CHECKS = Path(__file__).with_name("checks.js").read_text(encoding="utf-8").split("\n", 1)[1]


def ask(page, question: str):
    """The answer of a page to a question of checks.js."""
    return page.evaluate(f"{CHECKS.strip()}.{question}()")


@pytest.mark.parametrize("address", PAGES)
def test_page(visit, address: str) -> None:
    """One visit: nothing foreign or missing, pictures, mathematics, contrast, phone width."""
    seen = visit(address, color_scheme="light")
    page = seen.page
    assert not seen.foreign, "requests that leave the book"
    assert not seen.failed, "files that are missing"
    ask(page, "open")
    pictures = ask(page, "pictures")
    assert all(loaded for _, loaded, _ in pictures), f"pictures that do not load: {pictures}"
    assert all(alt for *_, alt in pictures), f"pictures without alt text: {pictures}"
    assert ask(page, "nameless") == 0, "SVG figures without a name"
    sources, drawn, mistakes, raw = ask(page, "mathematics")
    assert drawn >= sources, f"{sources} formulas, but {drawn} were rendered"
    assert not mistakes, "formulas MathJax cannot read"
    assert not raw, "formulas left as raw text"
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        page.wait_for_timeout(350)  # the theme fades colours
        assert ask(page, "contrast") == [], f"text that is hard to read on the {theme} page"
    for width in (1200, 820, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(100)
        assert ask(page, "cut") == [], f"cut at {width} pixels"
        assert ask(page, "small") == [], f"too small to read at {width} pixels"
        assert ask(page, "outside") == [], f"text outside of its drawing at {width} pixels"
    assert ask(page, "tiny") == [], "formulas too small to read: break them in their source"
    assert ask(page, "leaving") == [], "first columns that scroll out of sight"
    assert ask(page, "unmarked") == [], "Chinese text without lang=zh"
    assert ask(page, "width") <= 390, f"wider than a phone: {ask(page, 'wider')}"
    assert ask(page, "wider") == [], "parts that stick out of a phone's screen"
    assert not seen.errors, "errors in the console"


def test_links_and_anchors(visit, site: str, pages: list[str]) -> None:
    """Every internal link leads to a page and an anchor that exist."""
    read = {}
    for address in PAGES:
        page = visit(address).page
        read[address] = ask(page, "links")
        page.context.close()
    broken = set()
    for address, found in read.items():
        for link in found["links"]:
            if not link.startswith(site):
                continue
            path, _, anchor = link.removeprefix(f"{site}/").partition("#")
            path = path.partition("?")[0]
            lost = not (BUILT / path).is_file()
            if lost or (anchor and path in read and anchor not in read[path]["ids"]):
                broken.add(f"{address}: {link}")
    assert not sorted(broken)
