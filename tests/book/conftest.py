"""The built book, served on this machine alone, and a headless browser to read it with."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


def unavailable(reason: str) -> None:
    """Skip on a reader's machine; fail where CI=true promises that everything is there."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} (CI=true, so this may not be skipped)")
    pytest.skip(reason)


def built_pages() -> list[str]:
    """Addresses of all built pages, relative to the root of the book."""
    return sorted(
        page.relative_to(BUILT).as_posix()
        for page in BUILT.rglob("*.html")
        if "_static" not in page.parts and page.name != "webpack-macros.html"
    )


@pytest.fixture(scope="session")
def pages() -> list[str]:
    """All built pages; needs `make book`."""
    found = built_pages()
    if not found:
        unavailable("the book is not built; run: make book")
    return found


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without writing a log line for each."""

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="session")
def site(pages: list[str]):
    """Address of the book on a server of this test run."""
    handler = functools.partial(Quiet, directory=str(BUILT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium: one of this machine, or Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    with playwright.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).exists():
            unavailable("no Chromium or Chrome found; on Debian: apt-get install chromium")
        started = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


class Visit:
    """One open page with everything it logged or asked for."""

    def __init__(self, browser, site: str, address: str, **options) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.failed: list[str] = []
        self.context = browser.new_context(**options)
        self.context.route("**/*", lambda route: self.check(route, site))
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "response", lambda r: self.failed.append(f"{r.status} {r.url}") if r.status > 399 else 0
        )
        self.page.goto(f"{site}/{address}", wait_until="load")
        self.page.wait_for_function(
            "() => typeof MathJax === 'undefined' || (MathJax.startup && MathJax.startup.promise"
            " && MathJax.startup.promise.then(() => true))"
        )

    def check(self, route, site: str) -> None:
        """Let requests to the book through, note and stop all others."""
        if route.request.url.startswith((site + "/", "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()


@pytest.fixture
def visit(browser, site: str):
    """Opens a page of the book; closed when the test ends."""
    opened: list[Visit] = []

    def open_page(address: str, **options) -> Visit:
        opened.append(Visit(browser, site, address, **options))
        return opened[-1]

    yield open_page
    for each in opened:
        each.context.close()
