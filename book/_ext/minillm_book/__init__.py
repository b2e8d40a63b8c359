"""What the book adds to Jupyter Book: chapter numbers, search in Chinese, hover terms, pages."""

from sphinx.application import Sphinx

from . import numbers, search


def setup(app: Sphinx) -> dict:
    """Register every part of the extension."""
    for part in (numbers, search):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
