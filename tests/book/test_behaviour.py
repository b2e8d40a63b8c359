"""What a reader does with the book: search, hover, touch, copy, open solutions, use the map."""

from __future__ import annotations

import re

import pytest
import yaml

from .conftest import BUILT, ROOT, built_pages

CHAPTERS = [page for page in built_pages() if page.startswith("notebooks/")]
GLOSSARY = "book/glossary.html"


@pytest.mark.parametrize(
    ("words", "page"),
    [("gradients", GLOSSARY), ("tokenizing", GLOSSARY), ("注意力", GLOSSARY), ("词表", GLOSSARY),
     ("softmax 温度", GLOSSARY)],
)
def test_search_finds(visit, words: str, page: str) -> None:
    """English words in any form and Chinese words find the glossary."""
    found = visit(f"search.html?q={words}").page
    # The results come one by one, each after its page was fetched: the list is whole when the
    # last line says how many there are.
    found.wait_for_function(
        "/found/.test(document.querySelector('.search-summary')?.innerText)", timeout=20_000
    )
    links = found.eval_on_selector_all("#search-results li a", "all => all.map((a) => a.href)")
    assert any(page in link for link in links), links


def test_search_finds_nothing_for_nonsense(visit) -> None:
    """A Chinese word that stands nowhere gives no result: characters alone are not enough."""
    page = visit("search.html?q=词意注表").page
    page.wait_for_function("document.querySelector('.search-summary')?.innerText.length > 0")
    assert page.locator("#search-results li").count() == 0


def test_search_works_from_disk(browser, pages) -> None:
    """Opened as a file, search still lists its results and logs no error."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((BUILT / "search.html").as_uri() + "?q=注意力")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    page.goto((BUILT / "book/notation.html").as_uri())
    page.wait_for_selector("mjx-container", timeout=10_000)
    context.close()
    assert errors == []


def test_term_shows_definition(visit) -> None:
    """Hover, keyboard focus and Escape show and hide the definition with its Chinese term."""
    page = visit("book/how_to_read.html").page
    link = page.locator("a.book-term", has_text="chain rule")
    link.hover()
    tip = page.locator("#book-tip")
    assert tip.is_visible()
    assert "链式法则" in tip.inner_text()
    assert "product of the derivatives" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.mouse.move(0, 0)
    link.focus()
    assert tip.is_visible()
    assert link.get_attribute("aria-describedby") == "book-tip"


def test_term_on_touch(visit) -> None:
    """The first touch shows the definition inside the screen, the second follows the link."""
    page = visit(
        "book/how_to_read.html", viewport={"width": 390, "height": 844}, has_touch=True
    ).page
    link = page.locator("a.book-term", has_text="chain rule")
    link.tap()
    box = page.locator("#book-tip").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert "how_to_read" in page.url
    link.tap()
    page.wait_for_url("**/glossary.html#term-chain-rule")


def test_glossary_is_large_and_bilingual(visit) -> None:
    """At least 80 terms, each with Chinese characters and a definition."""
    terms = visit(GLOSSARY).page.evaluate("Object.values(window.MINILLM_TERMS)")
    assert len(terms) >= 80
    for name, chinese, text in terms:
        assert re.search("[\u4e00-\u9fff]", chinese), name
        assert 20 < len(text) < 260, name


def test_glossary_leads_to_letters_and_chapters(visit) -> None:
    """Letters to jump to, and after a term the chapters that use it."""
    page = visit(GLOSSARY).page
    letters = page.locator(".glossary-letters a").all_inner_texts()
    assert letters == sorted(letters)
    assert {"A", "B", "S"} <= set(letters)
    softmax = page.locator("dt#term-softmax + dd .glossary-uses a")
    assert "14" in softmax.all_inner_texts()
    softmax.locator("text=14").click()
    page.wait_for_url("**/14_softmax.html")


def test_cover_shows_what_comes_out(visit) -> None:
    """A story of the book's own model, and where to begin."""
    page = visit("book/cover.html").page
    assert len(page.locator(".book-story").inner_text()) > 150
    page.locator("a.book-start").click()
    page.wait_for_url("**/01_tokens.html")


def test_map_matches_the_table_of_contents(visit) -> None:
    """The map links exactly the chapters in _toc.yml and says that the others are to come."""
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    listed = {int(number) for number in re.findall(r"^ *- file: notebooks/(\d\d)_", toc, re.M)}
    parts = yaml.safe_load((ROOT / "book" / "chapters.yml").read_text(encoding="utf-8"))
    files = {number: slug for part in parts for number, slug, *_ in part["chapters"]}
    assert list(files) == list(range(1, 35))
    page = visit("book/cover.html").page
    linked = page.eval_on_selector_all(
        ".book-map-written a", "all => all.map((a) => [+a.querySelector('span').innerText, a.href])"
    )
    assert {number for number, _ in linked} == listed
    for number, link in linked:
        assert f"/notebooks/{number:02d}_{files[number]}.html" in link
    planned = page.locator(".book-map-planned")
    assert planned.count() == 34 - len(listed)
    assert all("to come" in text for text in planned.all_text_contents())


@pytest.mark.parametrize("address", CHAPTERS[:3])
def test_contents_mark_the_section_in_sight(visit, address: str) -> None:
    """Wherever one scrolls, the last heading above the middle is the one marked, and no other."""
    page = visit(address).page
    headings = page.locator(".bd-article section[id] > :is(h2, h3)")
    assert headings.count() > 2
    for i in range(headings.count()):
        section = headings.nth(i).evaluate(
            "h => { h.scrollIntoView(); scrollBy(0, -80); return h.parentElement.id }")
        page.wait_for_function("""id => {
            const marked = document.querySelectorAll('.bd-sidebar-secondary nav a.active');
            const at_end = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
            return at_end || (marked.length == 1 && marked[0].hash == '#' + id)
        }""", arg=section, timeout=3000)


@pytest.mark.parametrize("address", CHAPTERS)
def test_chapter(visit, address: str) -> None:
    """Chapter number in the title, numbered figures, copy buttons, solutions that open."""
    page = visit(address).page
    number = int(re.search(r"/(\d\d)_", "/" + address)[1])
    assert page.locator("h1 .section-number").inner_text().strip() == f"{number}."
    captions = page.locator(".bd-article figure figcaption .caption-number").all_inner_texts()
    assert captions
    assert all(text.strip().startswith(f"Figure {number}.") for text in captions)
    code = page.locator("div.cell_input div.highlight").count()
    assert page.locator("div.cell_input button.copybtn").count() == code
    for solution in page.locator(".solution.admonition").all():
        assert "dropdown" in solution.get_attribute("class")
        assert "toggle-hidden" in solution.get_attribute("class")
        solution.locator(".admonition-title, button.toggle-button").last.click()
        assert "toggle-hidden" not in solution.get_attribute("class")
