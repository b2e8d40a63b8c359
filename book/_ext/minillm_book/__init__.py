"""What the book adds to Jupyter Book: chapter numbers, search in Chinese, hover terms, pages."""

from sphinx.application import Sphinx

from . import api, book_map, downloads, listings, numbers, pages, plots, search, terms, tidy


def setup(app: Sphinx) -> dict:
    """Register every part of the extension."""
    for part in (api, book_map, downloads, listings, numbers, pages, plots, search, terms, tidy):
        part.setup(app)
    app.connect("html-page-context", remove_remote_scripts, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def remove_remote_scripts(app: Sphinx, page: str, template: str, context: dict, tree) -> None:
    """Leave out what would be fetched from, or speak of, another host (Thebe's loader)."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "://" not in str(getattr(script, "filename", script) or "")
        and "thebe" not in str(getattr(script, "filename", script) or "").lower()
        and "THEBE" not in str(getattr(script, "attributes", {}).get("body", ""))
    ]
