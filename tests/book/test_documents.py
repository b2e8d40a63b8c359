"""What stands in the documents is true: the README's example, links, modules of the API pages."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import minillm

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "book").glob("**/*.md")]


def test_readme_example_runs() -> None:
    """The example of the first screen, as it stands."""
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)[1]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("['The', ' cat', ' sat', '.']")


def test_links_between_documents() -> None:
    """Every relative link of a Markdown file leads to a file."""
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8")):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_module_imports() -> None:
    """The API pages leave out what cannot be imported; nothing may be left out unnoticed."""
    for info in pkgutil.walk_packages(minillm.__path__, "minillm."):
        if not info.name.endswith("__main__"):
            importlib.import_module(info.name)


def test_every_package_has_an_api_page() -> None:
    """A package without a page in book/api is not documented."""
    pages = {page.stem for page in (ROOT / "book" / "api").glob("*.md")}
    packages = {info.name for info in pkgutil.iter_modules(minillm.__path__) if info.ispkg}
    assert packages - {"kernels"} <= pages
    toc = (ROOT / "_toc.yml").read_text("utf-8")
    assert all(f"file: book/api/{page}" in toc for page in pages)
