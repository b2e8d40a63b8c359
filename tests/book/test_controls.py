"""Every control of a page works: by click, by touch and by key, on every width."""

from __future__ import annotations

import gzip
import json
import urllib.request

import nbformat
import pytest

from .conftest import BUILT, ROOT, built_pages

CHAPTER = "notebooks/15_attention.html"
KINDS = ["book/cover.html", CHAPTER, "book/glossary.html", "book/api/ops.html", "search.html"]
CHAPTERS = [page for page in built_pages() if page.startswith("notebooks/")]
LARGEST = 900_000  # bytes of a chapter as it is sent


def use(page, control, way: str) -> None:
    """Click, touch or press a control."""
    if way == "key":
        control.focus()
        page.keyboard.press("Enter")
    else:
        getattr(control, way)()


@pytest.mark.parametrize("way", ["click", "tap", "key"])
@pytest.mark.parametrize("width", [390, 820])
@pytest.mark.parametrize("address", KINDS)
def test_menu_opens_and_closes(visit, address: str, width: int, way: str) -> None:
    """The table of contents of the book opens over the page; Escape closes it."""
    page = visit(address, viewport={"width": width, "height": 844}, has_touch=True).page
    menu = page.locator("#pst-primary-sidebar-modal")
    assert not menu.is_visible()
    use(page, page.locator("button.primary-toggle").first, way)
    assert menu.is_visible()
    assert menu.get_by_role("link", name="Attention").first.is_visible()
    page.keyboard.press("Escape")
    menu.wait_for(state="hidden", timeout=3_000)


@pytest.mark.parametrize("way", ["click", "key"])
@pytest.mark.parametrize("address", KINDS)
def test_menu_on_a_desk(visit, address: str, way: str) -> None:
    """The button hides the table of contents and shows it again."""
    page = visit(address, viewport={"width": 1200, "height": 844}).page
    menu = page.locator("#pst-primary-sidebar")
    button = page.locator("button.primary-toggle").first
    assert menu.is_visible()
    use(page, button, way)
    page.wait_for_timeout(500)
    assert not page.locator("#pst-primary-sidebar a").first.is_visible() or (
        menu.bounding_box()["x"] + menu.bounding_box()["width"] <= 0)
    use(page, button, way)
    page.wait_for_timeout(500)
    assert page.locator("#pst-primary-sidebar a").first.is_visible()


@pytest.mark.parametrize("way", ["click", "tap", "key"])
def test_contents_of_a_page(visit, way: str) -> None:
    """On a phone the list of sections opens, and its links lead there."""
    page = visit(CHAPTER, viewport={"width": 390, "height": 844}, has_touch=True).page
    use(page, page.locator("button.secondary-toggle").first, way)
    list_of_sections = page.locator("#pst-secondary-sidebar-modal")
    assert list_of_sections.is_visible()
    list_of_sections.get_by_role("link", name="Masks").click()
    page.wait_for_function("location.hash === '#masks'")


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("address", KINDS)
def test_theme_and_search(visit, address: str, width: int) -> None:
    """Three themes in turn, a page as large as the screen and back, a search field that finds."""
    page = visit(address, viewport={"width": width, "height": 844}).page
    button = page.locator(".bd-header-article .theme-switch-button")
    seen = set()
    for _ in range(3):
        button.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"light", "dark", "auto"}
    for full in (True, False):
        page.locator(".btn-fullscreen-button").click()
        page.wait_for_function(f"Boolean(document.fullscreenElement) === {str(full).lower()}")
    page.keyboard.press("Control+k")
    field = page.locator("input[name=q]:visible").first  # of a dialog, or of the search page
    field.wait_for(state="visible", timeout=3_000)
    field.fill("softmax")
    field.press("Enter")
    page.wait_for_selector("#search-results li a")


@pytest.mark.parametrize("width", [390, 1200])
def test_download_and_copy(visit, width: int) -> None:
    """A menu with the notebook; the copy button takes a cell's code as the notebook has it."""
    page = visit(CHAPTER, viewport={"width": width, "height": 844},
                 permissions=["clipboard-read", "clipboard-write"]).page
    page.locator(".dropdown-download-buttons button").first.click()
    assert page.locator("a.btn-download-source-button").is_visible()
    page.keyboard.press("Escape")
    source = ROOT / CHAPTER.replace(".html", ".ipynb")
    cells = [cell.source for cell in nbformat.read(source, as_version=4).cells
             if cell.cell_type == "code"
             and not {"remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))]
    buttons = page.locator("div.cell_input button.copybtn")
    assert buttons.count() == len(cells)
    for i in (0, 5, len(cells) - 1):
        buttons.nth(i).evaluate("(button) => button.click()")
        page.wait_for_timeout(100)
        assert page.evaluate("navigator.clipboard.readText()").strip() == cells[i].strip()


def test_tab_key_meets_no_formula(visit) -> None:
    """Formulas are text, not stops of the Tab key; tables that scroll are stops."""
    page = visit(CHAPTER).page
    assert page.locator("mjx-container").count() > 10
    assert page.locator("mjx-container[tabindex], mjx-container [tabindex]").count() == 0


FOUND = {"attention": "15_attention", "注意力": "15_attention", "分词": "09_chinese_words",
         "softmax": "14_softmax"}


@pytest.mark.parametrize(("words", "page"), FOUND.items())
def test_search_finds_the_chapter_first(visit, words: str, page: str) -> None:
    """Chapters come before all other pages, that on the subject among the first two; no TeX."""
    found = visit(f"search.html?q={words}").page
    found.wait_for_function(
        "/found/.test(document.querySelector('.search-summary')?.innerText)", timeout=20_000)
    found.wait_for_timeout(500)
    links = found.eval_on_selector_all("#search-results li a", "all => all.map((a) => a.href)")
    assert any(page in link for link in links[:2])
    assert "/notebooks/" in links[0]
    text = found.locator("#search-results").inner_text()
    assert "\\(" not in text
    assert "\\[" not in text


@pytest.mark.parametrize("address", CHAPTERS)
def test_weight(visit, address: str) -> None:
    """All that a chapter loads, compressed; no icon font, no search index."""
    page = visit(address).page
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    total = 0
    for name in [page.url, *names]:
        with urllib.request.urlopen(name) as answer:
            data = answer.read()
        packed = name.endswith((".woff", ".woff2", ".png"))
        total += len(data if packed else gzip.compress(data))
    assert not [name for name in names if "fontawesome" in name or "searchindex" in name]
    assert total <= LARGEST


def test_mathematics_is_loaded_only_where_it_is(visit) -> None:
    """A page without a formula loads no MathJax."""
    page = visit("book/cover.html").page
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [name for name in names if "mathjax" in name.lower()]


@pytest.mark.parametrize("address", [*KINDS[:4], CHAPTERS[0]])
def test_description_and_card(visit, address: str) -> None:
    """What a search engine and a shared link show."""
    page = visit(address).page
    described = page.locator("meta[name=description]").get_attribute("content")
    assert 20 < len(described) <= 202
    assert page.locator("meta[property='og:title']").get_attribute("content")
    image = page.locator("meta[property='og:image']").get_attribute("content")
    address = page.evaluate("(path) => new URL(path, location).href", image)
    with urllib.request.urlopen(address) as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("address", CHAPTERS)
def test_download_is_clean(visit, site: str, address: str) -> None:
    """The notebook to download is plain Markdown and code without plumbing; it says how to run."""
    page = visit(address).page
    link = page.locator(".book-run a").get_attribute("href")
    path = page.evaluate("(path) => new URL(path, location).href", link)
    with urllib.request.urlopen(path) as f:
        notebook = nbformat.reads(f.read().decode(), as_version=4)
    nbformat.validate(notebook)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for remainder in (":::", "{term}", "{glue", "{cite", "{doc}", "{eq}", "{numref}", "{exercise",
                      "solution-start", "{prf"):
        assert remainder not in text
    assert "pip install" in text
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == page.locator("div.cell").count()
    assert "glue(" not in json.dumps([cell.source for cell in code])
    assert any(cell.outputs for cell in code)


def test_paper(visit) -> None:
    """Printed, a chapter has its numbered title, once, and no part of it is cut."""
    page = visit(CHAPTER, viewport={"width": 720, "height": 1000}).page
    page.emulate_media(media="print")
    titles = [t for t in page.locator("h1").all() if t.is_visible()]
    assert [t.inner_text().startswith("15.") for t in titles] == [True]
    wide = page.evaluate("""() => {
        const out = (e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1;
        return [...document.querySelectorAll('.bd-article :is(pre, table, svg)')].filter(out)
            .map((e) => e.textContent.slice(0, 40));
    }""")
    assert wide == []
    torn = page.evaluate("""() => [...document.querySelectorAll(
        '.bd-article :is(div.math, .minillm-source, figure, table, div.cell_input)')]
        .filter((e) => getComputedStyle(e).breakInside !== 'avoid').map((e) => e.className)""")
    assert torn == []  # an equation stays with its number, a listing with its name
    assert len(page.pdf()) > 10_000
    assert (BUILT / CHAPTER).is_file()
