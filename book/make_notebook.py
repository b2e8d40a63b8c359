"""Make the notebooks of the book: convert, execute, clean.

    python book/make_notebook.py chapter.py ...        a script in percent format -> notebooks/
    python book/make_notebook.py notebooks/*.ipynb     execute again, in place
    python book/make_notebook.py --script 14           notebooks/14_*.ipynb -> its script, here

In a script, `# %% [markdown]` starts a text cell and `# %%` a code cell. Lines `#| key: value` at
the top of a code cell become its metadata: `caption`, `name` and `alt` of a figure, and `tags`.
Cells get ids that depend on their content alone, and no output holds a time or a path, so that
making a notebook twice gives the same file. A cell that fails or writes to stderr is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
OPTION = re.compile(r"^#\| ?(.*)$")
CELL_METADATA = ("tags", "mystnb")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def options_to_metadata(cell: nbformat.NotebookNode) -> None:
    """Move the `#| key: value` lines of a code cell into its metadata."""
    lines = cell.source.split("\n")
    count = next((i for i, line in enumerate(lines) if not OPTION.match(line)), len(lines))
    if not count:
        return
    options = yaml.safe_load("\n".join(OPTION.sub(r"\1", line) for line in lines[:count])) or {}
    unknown = set(options) - {"caption", "name", "alt", "tags"}
    if unknown:
        raise ValueError(f"unknown cell options {sorted(unknown)}; use caption, name, alt, tags")
    if "tags" in options:
        cell.metadata["tags"] = options["tags"]
    shown = {
        "figure": {key: options[key] for key in ("caption", "name") if key in options},
        "image": {key: options[key] for key in ("alt",) if key in options},
    }
    if any(shown.values()):
        cell.metadata["mystnb"] = {key: value for key, value in shown.items() if value}
    cell.source = "\n".join(lines[count:]).lstrip("\n")


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook from a percent script or an .ipynb file."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    import jupytext

    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            options_to_metadata(cell)
    return notebook


def script_of(notebook: nbformat.NotebookNode) -> str:
    """The percent script that ``read`` turns into these cells again."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            lines = [f"# {line}".rstrip() for line in cell.source.split("\n")]
            cells.append("\n".join(["# %% [markdown]", *lines]))
            continue
        figure = cell.metadata.get("mystnb", {})
        options = {**figure.get("figure", {}), **figure.get("image", {})}
        if "tags" in cell.metadata:
            options["tags"] = list(cell.metadata["tags"])
        text = yaml.safe_dump(options, allow_unicode=True, sort_keys=False, width=88)
        lines = [f"#| {line}".rstrip() for line in text.splitlines()] if options else []
        cells.append("\n".join(["# %%", *lines, cell.source]))
    return "\n\n".join(cells) + "\n"


def write_script(number: str) -> int:
    """Write the script of one chapter beside nothing else, unless a file is in its place."""
    found = sorted((ROOT / "notebooks").glob(f"{number}_*.ipynb"))
    if len(found) != 1:
        print(f"--script {number}: {len(found)} notebooks begin so; expected one, such as 14")
        return 1
    target = Path(f"{found[0].stem}.py")
    if target.exists():
        print(f"{target} is there already; move it away first")
        return 1
    target.write_text(script_of(read(found[0])), encoding="utf-8")
    print(f"{found[0]} -> {target}")
    return 0


def execute(notebook: nbformat.NotebookNode, folder: Path, timeout: int) -> None:
    """Run all cells in order in a fresh kernel that works in the folder of the notebook."""
    os.environ.update({"PYTHONHASHSEED": "0", "MPLBACKEND": "agg"})
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--Application.log_level=40"],
        resources={"metadata": {"path": str(folder)}},
    )
    asyncio.run(client.async_execute())


def clean(notebook: nbformat.NotebookNode) -> None:
    """Leave only what readers need, with ids derived from the content of the cells."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        )
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)


def merged(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join neighbouring pieces of one stream: how they were cut depends on the clock."""
    result: list[nbformat.NotebookNode] = []
    for output in outputs:
        stream = output.output_type == "stream"
        if stream and result and result[-1].get("name") == output.name:
            result[-1].text += output.text
        else:
            result.append(output)
    return result


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """Outputs that must not be committed: stderr, and what names this machine."""
    found = []
    places = [str(ROOT), str(Path.home()), tempfile.gettempdir()]
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                found.append(f"cell {number} wrote to stderr: {output.text.strip()}")
            data = str(output.get("data", "")) + str(output.get("text", ""))
            named = [place for place in places if len(place) > 3 and place in data]
            found += [f"cell {number} shows the path {place}" for place in named]
    return found


def write(notebook: nbformat.NotebookNode, target: Path) -> None:
    """Write the notebook in one step, so that an interrupted run leaves the old file."""
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    temporary = target.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)


def main() -> int:
    """Make every notebook named on the command line; the status is 1 if any has a problem."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--script", metavar="NN", help="write the script of this chapter")
    parser.add_argument("--to", type=Path, default=ROOT / "notebooks", help="folder for scripts")
    parser.add_argument("--timeout", type=int, default=600, help="seconds a cell may take")
    arguments = parser.parse_args()
    if arguments.script:
        return write_script(arguments.script)
    if not arguments.sources:
        parser.error("name a script, a notebook, or --script and the number of a chapter")
    failed = False
    for path in arguments.sources:
        in_place = path.suffix == ".ipynb"
        target = path if in_place else arguments.to / f"{path.stem}.ipynb"
        print(f"{path} -> {target}", flush=True)
        notebook = read(path)
        execute(notebook, target.resolve().parent, arguments.timeout)
        clean(notebook)
        bad = problems(notebook)
        print("".join(f"  {line}\n" for line in bad), end="")
        if bad:
            failed = True
        else:
            write(notebook, target)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
