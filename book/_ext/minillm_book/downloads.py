"""The notebook a reader downloads: the committed one in plain Markdown, without its plumbing.

Directives, roles and glued numbers mean nothing outside of this book, so they become what a reader
sees on the page. Cells tagged remove-cell only feed numbers to the text and are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from pybtex.database import BibliographyData, parse_file
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .numbers import chapter_number

GLUED = "application/papermill.record/text/plain"
NOTE = """*This is chapter {number} of “minillm — a language model you can read”. To run it, install
the package in the folder of the project with* `pip install ".[show]"`*.*"""
ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+?)(?:\s*<([^>`]+)>)?`")
LABEL = re.compile(r"^\$\$ *\(([\w-]+)\)", re.M)
CARD = re.compile(r"^(:{3,})\{card\}\n(?::[^\n]*\n)*\n?(.*?)^\1 *$", re.M | re.S)
EXERCISE = re.compile(r"^(`{3,})\{(exercise|prf:\w+)\} *([^\n]*)\n((?::[^\n]*\n)*)(.*?)^\1 *$",
                      re.M | re.S)
SOLUTION = re.compile(r"^`{3,}\{solution-(start|end)\}[^\n]*\n(?::[^\n]*\n)*(?:\n*`{3,} *$)?", re.M)
INLINE = re.compile(r"\[([^\]]+)\]\{[^}]*\}")
TERM = re.compile(r"^([A-Z][^\n]*)\n: +", re.M)


def glued(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """name -> the text of every glued number."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if GLUED in output.get("data", {}):
                name = output.metadata["scrapbook"]["name"]
                found[name] = str(ast.literal_eval(output.data[GLUED]))
    return found


def authors(library: BibliographyData, key: str) -> tuple[str, str]:
    """Authors and year of a cited work, such as ("Vaswani et al.", "2017")."""
    entry = library.entries[key]
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*person.prelast_names, *person.last_names]).strip("{}") for person in people]
    if len(names) > 2:
        names = [names[0] + " et al."]
    return " and ".join(names) or key, entry.fields.get("year", "n.d.")


class Markdown:
    """Turns the book's Markdown of one chapter into plain Markdown."""

    def __init__(self, env: BuildEnvironment, docname: str, numbers: dict[str, str],
                 library: BibliographyData) -> None:
        self.env, self.docname = env, docname
        self.glued, self.library = numbers, library
        self.roles: dict[str, Callable[[str, str], str]] = {
            "term": lambda text, target: text,
            "glue:text": lambda text, target: self.glued[text],
            "numref": lambda text, target: self.figure(text),
            "eq": lambda text, target: f"({self.equation(text)})",
            "cite:t": lambda text, target: self.cited(text, "{} ({})"),
            "cite:p": lambda text, target: f"({self.cited(text, '{}, {}')})",
            "doc": self.document,
        }

    def cited(self, keys: str, form: str) -> str:
        """The works named, in one of two forms."""
        works = (authors(self.library, key.strip()) for key in keys.split(","))
        return "; ".join(form.format(*work) for work in works)

    def document(self, text: str, target: str) -> str:
        """The title of another page; of a chapter with its number."""
        if target:
            return text
        page = text.lstrip("/") if text.startswith("/") else f"notebooks/{text}"
        title, number = self.env.titles[page].astext(), chapter_number(page)
        return f"*{title}*" if number is None else f"Chapter {number}, *{title}*"

    def number_of(self, kind: str, page: str, label: str) -> str:
        """14.1 for the first figure or equation of chapter 14."""
        found = self.env.toc_fignumbers[page][kind][label]
        return ".".join(map(str, found))

    def figure(self, label: str) -> str:
        """Figure 14.1; or the name of an exercise or theorem."""
        page, anchor, *_ = self.env.domains["std"].anonlabels[label]
        for kind, name in (("figure", "Figure"), ("table", "Table")):
            if anchor in self.env.toc_fignumbers.get(page, {}).get(kind, {}):
                return f"{name} {self.number_of(kind, page, anchor)}"
        raise KeyError(f"{self.docname}: nothing has the label {label}")

    def equation(self, label: str) -> str:
        """The number of an equation."""
        page, _ = self.env.domains["math"].equations[label]
        return self.number_of("displaymath", page, f"equation-{label}")

    def plain(self, text: str) -> str:
        """A text cell without anything a plain Markdown viewer does not know."""
        text = CARD.sub(lambda m: TERM.sub(r"**\1:** ", m[2]), text)
        text = EXERCISE.sub(self.boxed, text)
        text = SOLUTION.sub(lambda m: "**Solution.**\n" if m[1] == "start" else "", text)
        text = re.sub(r"\$\$(.*?)\$\$ *\(([\w-]+)\)", self.numbered, text, flags=re.S)
        text = INLINE.sub(r"\1", text)
        text = ROLE.sub(lambda m: self.roles[m[1]](m[2], m[3] or ""), text)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def numbered(self, found: re.Match[str]) -> str:
        """An equation with its number; a formula followed by something in brackets as it is."""
        if found[2] not in self.env.domains["math"].equations:
            return found[0]
        return f"$${found[1].rstrip()} \\tag{{{self.equation(found[2])}}}\n$$"

    @staticmethod
    def boxed(found: re.Match[str]) -> str:
        """An exercise, a theorem or a proof as a paragraph with a bold beginning."""
        kind = found[2].removeprefix("prf:").capitalize()
        title = f" {found[3].strip()}" if found[3].strip() else ""
        return f"**{kind}{title}.** {found[5].strip()}"

    def caption(self, cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
        """The caption of a cell's figure as a text cell after it."""
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if not figure.get("caption"):
            return []
        name = f"**{self.figure(figure['name'])}.** " if figure.get("name") else ""
        text = f"{name}{self.plain(figure['caption'])}"
        return [nbformat.v4.new_markdown_cell(text, id=f"{cell.id}-caption")]


def clean(notebook: nbformat.NotebookNode, markdown: Markdown) -> nbformat.NotebookNode:
    """The notebook as it is handed out."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = markdown.plain(cell.source)
            cells += [nbformat.v4.new_markdown_cell(text, id=cell.id)] if text else []
        elif "remove-cell" not in cell.metadata.get("tags", []):
            shown = nbformat.v4.new_code_cell(cell.source, id=cell.id, outputs=cell.outputs)
            cells += [shown, *markdown.caption(cell)]
    title, *rest = cells[0].source.split("\n")
    note = NOTE.format(number=chapter_number(markdown.docname))
    cells[0].source = "\n".join([title, "", note, *rest])
    metadata = {key: notebook.metadata[key] for key in ("kernelspec", "language_info")}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def write(app: Sphinx, error: Exception | None) -> None:
    """Put clean notebooks in the place of those the theme's download button links to."""
    if error or app.builder.format != "html":
        return
    library = parse_file(Path(app.srcdir, "book", "references.bib"))
    for page in app.env.found_docs:
        if chapter_number(page) is None:
            continue
        notebook = nbformat.read(Path(app.srcdir, page + ".ipynb"), as_version=4)
        markdown = Markdown(app.env, page, glued(notebook), library)
        target = Path(app.outdir, "_sources", page + ".ipynb")
        nbformat.write(clean(notebook, markdown), target)


def setup(app: Sphinx) -> None:
    """Write the notebooks when all pages are done."""
    app.connect("build-finished", write)
