"""The page, driven by Streamlit's own test driver, and in a browser as visitors see it."""

from __future__ import annotations

import re
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="the page needs Streamlit: pip install minillm[demo]")
from streamlit.testing.v1 import AppTest

from minillm.cli.serving import PAGE, check_free

from ..cli.calls import call
from .serving import served

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
               None)
FOREIGN = "<script>document.title='broken'</script><img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINILLM_DEMO_RUN", raising=False)
    # The driver leaves the page as __main__, which processes started later would run again.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def page(model: str | None = None) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=60).run()
    if model is not None:
        app.selectbox[0].set_value(model).run()
    assert not app.exception
    return app


def markup(app: AppTest) -> str:
    return "".join(part.proto.body for part in app.get("html"))


def test_writing() -> None:
    app = page()
    assert "tokens/s" not in "".join(c.value for c in app.caption)
    app.text_area[0].set_value("One sunny day, Jack").run()
    app.slider[0].set_value(30).run()
    app.button[0].click().run()
    assert not app.exception
    assert re.search(r"\d+ tokens in [\d.]+ s, [\d,]+ tokens/s", app.caption[-1].value)
    written = markup(app)
    assert "<b style=\"font-weight:600\">One sunny day, Jack</b>" in written
    app.slider[2].set_value(5).run()  # what was written stays until the next press
    assert app.caption[-1].value
    assert markup(app).split("</div>")[0] == written.split("</div>")[0]
    app.button[0].click().run()
    assert markup(app).split("</div>")[0] != written.split("</div>")[0]


def test_bars_change_with_the_sliders() -> None:
    app = page("zh")
    before = markup(app)
    next(s for s in app.slider if s.label.startswith("Top-k")).set_value(1).run()
    assert not app.exception
    assert markup(app) != before
    assert "100" in markup(app)


def test_translating_and_filling() -> None:
    assert "我妈妈昨天在上海买了一本书。" in markup(page("translate"))
    app = page("fill_en")
    assert "[bar]" in markup(app)
    app.text_area[0].set_value("the driver is not poor but ___ .").run()
    assert "[rich]" in markup(app)
    assert "[双]" in markup(page("fill_zh"))


@pytest.mark.parametrize("kind", ["en", "zh", "translate", "fill_en"])
def test_foreign_text_is_shown_and_not_run(kind: str) -> None:
    app = page(kind)
    app.text_area[0].set_value(FOREIGN).run()
    if app.button:
        app.button[0].click().run()
    assert not app.exception
    assert "<script>" not in markup(app)
    assert "<img" not in markup(app)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "a <|endoftext|> b"])
def test_what_cannot_be_read_is_an_error_on_the_page(text: str) -> None:
    app = page()
    app.text_area[0].set_value(text).run()
    assert not app.exception
    assert len(app.error) == 1 or len(app.text_area[0].value) <= 2000  # it may be refused before
    app.text_area[0].set_value("One day").run()
    assert not app.error


def test_a_port_in_use_and_a_run_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"--port {port} of 127.0.0.1 cannot be used"):
            check_free("127.0.0.1", port)
    result = call("demo", tmp_path / "none")
    assert result.exit_code == 1
    assert "no checkpoint" in result.stderr


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome to open the page with")
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_in_a_browser(address: str, width: int, scheme: str) -> None:
    """Type, move a slider, press, read; nothing comes from another host, nothing is cut off."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 2400}, color_scheme=scheme)
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(address)
        tab.get_by_text("What comes next").wait_for(timeout=60_000)
        box = tab.get_by_label("Text to continue")
        box.fill("One rainy day, Mia")
        box.press("Control+Enter")
        tab.get_by_text("␣Mia").locator("visible=true").first.wait_for(timeout=30_000)
        slider = tab.get_by_role("slider").first
        slider.focus()
        slider.press("Home")
        for _ in range(14):
            slider.press("ArrowRight")
        tab.get_by_role("button", name="Write").click()
        tab.get_by_text(re.compile("tokens/s")).wait_for(timeout=60_000)
        assert tab.get_by_text(re.compile(r"^\s*15 tokens in")).count() == 1
        assert "One rainy day, Mia" in tab.locator("[data-testid=stHtml]").first.inner_text()
        assert all(url.startswith((address, "data:", "blob:")) for url in asked), asked
        wide = tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= width + 1
        browser.close()
