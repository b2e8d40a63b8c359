"""Every built page, opened in a real browser at desk and phone width, light and dark."""

from __future__ import annotations

import json

import pytest

from .conftest import BUILT, built_pages

PAGES = [page for page in built_pages() if page != "index.html"]

CONTRAST = """() => {
  const channel = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => {
    const inner = text.match(/\\(([^)]*)\\)/)[1];
    const numbers = inner.match(/[\\d.]+(e-?\\d+)?/g).map(Number);
    const unit = text.startsWith("color(") ? 1 : 255;
    return [...numbers.slice(0, 3).map((n) => n / unit), numbers[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const backdrop = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [1, 1, 1]);
  };
  const opacity = (element) => {
    let product = 1;
    for (let e = element; e; e = e.parentElement) product *= Number(getComputedStyle(e).opacity);
    return product;
  };
  const bad = [];
  const root = document.querySelector(".bd-article");
  if (!root) return bad;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("svg, mjx-container, .headerlink, button")) continue;
    const below = backdrop(element);
    const ink = parse(getComputedStyle(element).color);
    ink[3] *= opacity(element);
    const [a, b] = [light(over(ink, below)), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4) bad.push(`${ratio.toFixed(2)}: ${element.tagName}.${element.className} ${text.slice(0, 40)}`);
  }
  return [...new Set(bad)].slice(0, 12);
}"""

WIDER = """() => {
  const inside = (element) => {
    for (let e = element.parentElement; e && e !== document.body; e = e.parentElement) {
      const style = getComputedStyle(e).overflowX;
      if (["auto", "scroll", "hidden", "clip"].includes(style)) return true;
    }
    return false;
  };
  return [...document.querySelectorAll(".bd-article *")]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1 && !inside(e))
    .map((e) => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 40)}`).slice(0, 8);
}"""


NAMELESS = """() => {
  const named = (s) => s.getAttribute("aria-label") || s.getAttribute("aria-labelledby");
  const drawings = document.querySelectorAll(".bd-article svg:not([aria-hidden=true])");
  return [...drawings].filter((s) => !s.closest("mjx-container, button, summary") && !named(s)).length;
}"""

PICTURES = """() => [...document.images].map(
  (i) => [i.currentSrc.slice(0, 99), i.complete && i.naturalWidth > 0, (i.alt || "").trim()])"""

MATHEMATICS = """() => {
  const count = (selector) => document.querySelectorAll(selector).length;
  const text = [...document.querySelectorAll(".bd-article :is(p, li, td, figcaption)")]
    .map((e) => e.innerText).join(" ");
  return [count(".math"), count(".math mjx-container"), count("mjx-merror"), /\\\\[([]/.test(text)];
}"""


@pytest.mark.parametrize("address", PAGES)
def test_page(visit, address: str) -> None:
    """One visit: nothing foreign or missing, pictures, mathematics, contrast, phone width."""
    seen = visit(address, color_scheme="light")
    page = seen.page
    assert not seen.foreign, "requests that leave the book"
    assert not seen.failed, "files that are missing"
    pictures = page.evaluate(PICTURES)
    assert all(loaded for _, loaded, _ in pictures), f"pictures that do not load: {pictures}"
    assert all(alt for *_, alt in pictures), f"pictures without alt text: {pictures}"
    assert page.evaluate(NAMELESS) == 0, "SVG figures without a name"
    sources, drawn, mistakes, raw = page.evaluate(MATHEMATICS)
    assert drawn >= sources, f"{sources} formulas, but {drawn} were rendered"
    assert not mistakes, "formulas MathJax cannot read"
    assert not raw, "formulas left as raw text"
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        page.wait_for_timeout(350)  # the theme fades colours
        assert page.evaluate(CONTRAST) == [], f"text that is hard to read on the {theme} page"
    page.set_viewport_size({"width": 390, "height": 844})
    width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width <= 390, f"wider than a phone: {page.evaluate(WIDER)}"
    assert page.evaluate(WIDER) == [], "parts that stick out of a phone's screen"
    assert not seen.errors, "errors in the console"


def test_links_and_anchors(visit, pages: list[str]) -> None:
    """Every internal link leads to a page and an anchor that exist."""
    read = {}
    for address in pages:
        page = visit(address).page
        read[address] = json.loads(
            page.evaluate(
                "JSON.stringify({ids: [...document.querySelectorAll('[id]')].map((e) => e.id),"
                " links: [...document.querySelectorAll('a[href]')].map((a) => a.href)})"
            )
        )
        page.context.close()
    broken = []
    for address, found in read.items():
        for link in found["links"]:
            if not link.startswith("http://127.0.0.1"):
                continue
            path, _, anchor = link.split("/", 3)[3].partition("#")
            path = path.partition("?")[0]
            if not (BUILT / path).is_file() and not (BUILT / path / "index.html").is_file():
                broken.append(f"{address}: {link}")
            elif anchor and path in read and anchor not in read[path]["ids"]:
                broken.append(f"{address}: {link}")
    assert not sorted(set(broken))
