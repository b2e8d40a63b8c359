"""The form of every committed notebook. What its cells compute is compared by nbval."""

from __future__ import annotations

import ast
import importlib
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from .conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MACHINE = re.compile(r"/(?:home|root|Users|tmp|work|opt|var)/\w|\.pyenv|site-packages|C:\\Users")
PLUMBING = {"glue", "perf_counter", "started"}


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook, checked against the format."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """All code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def plumbing(cell: nbformat.NotebookNode) -> bool:
    """True for a cell that only feeds numbers to the text: executed, compared, never shown."""
    return "remove-cell" in tags(cell)


def shown(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells a reader sees."""
    return [cell for cell in notebook.cells if not plumbing(cell)]


def names(source: str, kind: type[ast.expr_context]) -> set[str]:
    """Names that code reads (ast.Load) or sets (ast.Store); imports set names too."""
    tree = list(ast.walk(ast.parse(source)))
    found = {node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, kind)}
    if kind is ast.Store:
        found |= {alias.asname or alias.name for node in tree
                  if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    return found


def lines(cell: nbformat.NotebookNode) -> int:
    """Lines of code that are not blank."""
    return sum(bool(line.strip()) for line in cell.source.split("\n"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request) -> nbformat.NotebookNode:
    """Every notebook in turn."""
    return read(request.param)


def test_table_of_contents_lists_every_notebook() -> None:
    """Each notebook is in _toc.yml, and its number and slug are those of the map."""
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ *- file: notebooks/(\S+)", toc, re.M)
    assert sorted(listed) == [path.stem for path in PATHS]
    parts = yaml.safe_load((ROOT / "book" / "chapters.yml").read_text(encoding="utf-8"))
    planned = {f"{number:02d}_{slug}" for part in parts for number, slug, *_ in part["chapters"]}
    assert set(listed) <= planned


def test_executed_in_order(notebook) -> None:
    """Executed once, from the first cell to the last, without gaps."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_noise_in_outputs(notebook) -> None:
    """No stderr, no error that is not meant, no text that names a machine."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", cell.source
            if output.output_type == "error":
                assert "raises-exception" in tags(cell), cell.source
    for cell in notebook.cells:
        texts = [cell.source]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            texts += [str(value) for kind, value in data.items() if "png" not in kind]
            texts += [output.get("text", ""), *output.get("traceback", [])]
        for text in texts:
            assert not MACHINE.search(text), f"names a machine: {MACHINE.search(text)[0]}"


def test_cells_are_small(notebook) -> None:
    """At most 20 lines each, and half of them at most 6."""
    counts = [lines(cell) for cell in code_cells(notebook) if not plumbing(cell)]
    assert max(counts) <= 20
    assert statistics.median(counts) <= 6


def test_text_before_every_code_cell(notebook) -> None:
    """The reader is told what to look for."""
    kinds = ["start", *(cell.cell_type for cell in shown(notebook))]
    for before, cell in zip(kinds, shown(notebook)):
        assert cell.cell_type != "code" or before == "markdown", cell.source


def test_plumbing_is_not_shown(notebook) -> None:
    """Glued numbers and clocks stand in cells of their own, which nothing shown depends on."""
    made: set[str] = set()
    for cell in code_cells(notebook):
        if plumbing(cell):
            made |= names(cell.source, ast.Store)
            assert PLUMBING & names(cell.source, ast.Load) or "import" in cell.source, cell.source
            continue
        used = names(cell.source, ast.Load) - names(cell.source, ast.Store)
        assert not used & PLUMBING, f"plumbing is shown: {cell.source}"
        assert not used & made, f"needs {used & made} of a cell that is not shown: {cell.source}"
        made -= names(cell.source, ast.Store)


def test_metadata_is_minimal(notebook) -> None:
    """Unique stable ids and nothing else that changes from run to run."""
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{10}(-\d+)?", each) for each in ids)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert set(notebook.metadata.language_info) == {"name"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "mystnb"}
        assert set(tags(cell)) <= {"nbval-ignore-output", "raises-exception", "remove-cell",
                                   "remove-input"}
        if "remove-input" in tags(cell):  # the code of a picture teaches nothing
            assert re.match(r"show\.(flow|arrays)\(", cell.source), "hidden code"


def test_figures_have_captions_names_and_alt_text(notebook) -> None:
    """Every picture: a caption, a name that starts with fig-; every plot a text instead of it."""
    for cell in code_cells(notebook):
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if figure:
            assert len(figure.get("caption", "")) > 10, cell.source
            assert re.fullmatch(r"fig-[a-z0-9-]+", figure.get("name", "")), cell.source
        for output in cell.outputs:
            assert "image/png" not in output.get("data", {}), "a plot that is no drawing"
            html = output.get("data", {}).get("text/html", "")
            if "<svg" in html:
                assert figure, f"a drawing without a caption: {cell.source}"
            if "minillm-plot" in html:
                alt = cell.metadata.mystnb.get("image", {}).get("alt", "")
                assert len(alt) > 15, f"a plot without alt text: {cell.source}"


def test_anatomy(notebook) -> None:
    """A card at the top, citations, and four to six graded exercises, each with a solution."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.startswith("# ")
    assert "chapter-card" in text
    assert "{cite:" in text
    exercises = re.findall(r"\{exercise(?:-start)?\} *★{1,3} ", text)
    assert 4 <= len(exercises) <= 6
    labels = set(re.findall(r":label: (ex-\S+)", text))
    assert labels == set(re.findall(r"\{solution(?:-start)?\} (ex-\S+)", text))


def test_shapes_use_the_letters_of_the_book(notebook) -> None:
    """Every letter of a table of shapes stands in the tables of book/notation.md."""
    text = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| ([A-Z]) \|", text, re.M))
    assert {"B", "T", "C", "N"} <= known
    for cell in code_cells(notebook):
        if not re.search(r"^show\.shapes\(", cell.source, re.M):
            continue
        text = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        for line in text.split("\n"):
            columns = [column.strip() for column in line.split(" | ")]
            if len(columns) == 4 and columns[1].startswith("("):
                used = set(re.findall(r"[^\W\d_]+", columns[1]))
                assert used <= known, f"{columns[0]} {columns[1]}: {used - known} has no meaning"


def test_what_is_shown_is_seen(notebook) -> None:
    """A picture or table that is not the last thing of its cell is thrown away unseen."""
    for cell in code_cells(notebook):
        *before, _ = ast.parse(cell.source.replace("%", "#%", 1) if cell.source.startswith("%")
                               else cell.source).body
        for statement in before:
            call = getattr(statement, "value", None) if isinstance(statement, ast.Expr) else None
            name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
            assert not name.startswith("show."), f"{name} is not the last line: {cell.source}"


def test_public_names_are_imported_as_such(notebook) -> None:
    """What a package gives under its own name is not fetched from a module inside of it."""
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(re.sub(r"^%", "#", cell.source, flags=re.M))):
            if not isinstance(node, ast.ImportFrom) or not node.module.startswith("minillm."):
                continue
            inside = node.module.split(".")
            for outer in (".".join(inside[:n]) for n in range(2, len(inside))):
                public = getattr(importlib.import_module(outer), "__all__", ())
                taken = {alias.name for alias in node.names} & set(public)
                assert not taken, f"import {taken} from {outer}: {cell.source}"


def test_links_work_in_the_download_too(notebook) -> None:
    """What ``{ref}`` points to is known to the book alone; {doc}, {numref}, {eq} and {term} are."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert "{ref}" not in cell.source, cell.source


def test_few_outputs_are_ignored() -> None:
    """At most one code cell in ten over the whole book escapes comparison; an assertion follows.

    Of a race, whose output is a time, nothing can be asserted.
    """
    cells = ignored = 0
    for path in PATHS:
        code = code_cells(read(path))
        cells += len(code)
        ignored += sum("nbval-ignore-output" in tags(cell) for cell in code)
        code = [cell for cell in code if not plumbing(cell)]
        for cell, after in zip(code, [*code[1:], None]):
            if "nbval-ignore-output" in tags(cell) and "show.race(" not in cell.source:
                follow = cell.source + (after.source if after else "")
                assert "assert" in follow, f"nothing is asserted about: {cell.source}"
            assert "nbval-skip" not in tags(cell)
    assert ignored * 10 <= cells


def test_a_downloaded_notebook_runs_alone(tmp_path: Path) -> None:
    """A clean notebook in an empty folder, without what the book is built with."""
    built = ROOT / "_build" / "html" / "_sources" / "notebooks" / "14_softmax.ipynb"
    if not built.exists():
        unavailable("the book is not built; run: make book")
    code = [cell.source for cell in code_cells(nbformat.read(built, as_version=4))]
    assert len(code) > 20
    blocked = "import sys\nsys.modules['myst_nb'] = sys.modules['sphinx'] = None\n"
    # The last line of a cell is shown, as in a notebook.
    (tmp_path / "chapter.py").write_text(
        f"{blocked}from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        f"for cell in {code!r}:\n    shell.run_cell(cell).raise_error()\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    run = subprocess.run([sys.executable, "chapter.py"], cwd=tmp_path, env=environment,
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
