"""The notebook maker, proved on the trial chapter that holds one of everything."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from . import test_notebooks as form

ROOT = Path(__file__).resolve().parents[2]
MAKER = ROOT / "book" / "make_notebook.py"


def make(source: Path, folder: Path) -> subprocess.CompletedProcess:
    """Run the maker on a script or a notebook."""
    command = [sys.executable, str(MAKER), str(source), "--to", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trial(tmp_path_factory) -> Path:
    """The trial chapter, made once."""
    folder = tmp_path_factory.mktemp("notebooks")
    run = make(Path(__file__).with_name("98_trial.py"), folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder / "98_trial.ipynb"


def test_trial_has_the_form_of_a_chapter(trial: Path) -> None:
    """The example chapter obeys the rules that chapters are held to."""
    notebook = form.read(trial)
    rules = [rule for name, rule in vars(form).items() if name.startswith("test_")
             and list(inspect.signature(rule).parameters) == ["notebook"]
             and rule is not form.test_anatomy]  # it has one exercise
    assert len(rules) >= 10
    for rule in rules:
        rule(notebook)


def test_making_again_changes_nothing(trial: Path) -> None:
    """Executing a committed notebook in place gives the same bytes."""
    before = trial.read_bytes()
    run = make(trial, trial.parent)
    assert run.returncode == 0, run.stdout + run.stderr
    assert trial.read_bytes() == before


def test_options_become_metadata(trial: Path) -> None:
    """Lines `#| key: value` are gone from the code and stand in the metadata."""
    cells = [cell for cell in form.read(trial).cells if "mystnb" in cell.metadata]
    assert cells[0].metadata["mystnb"]["figure"]["name"] == "fig-trial-curve"
    assert cells[0].metadata["mystnb"]["image"]["alt"].startswith("An S-shaped curve")
    assert not any("#|" in cell.source for cell in cells)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import warnings; warnings.warn('noise')", "wrote to stderr"),
        ("import os; print(os.path.expanduser('~'))", "shows the path"),
        ("1 / 0", "ZeroDivisionError"),
        ("#| captoin: x\n1", "unknown cell options"),
    ],
)
def test_bad_cells_are_refused(tmp_path: Path, code: str, message: str) -> None:
    """Noise, paths, errors and mistyped options: a message, a failure, and no file."""
    script = tmp_path / "01_bad.py"
    script.write_text(f"# %% [markdown]\n# # Bad\n\n# %%\n{code}\n", encoding="utf-8")
    run = make(script, tmp_path)
    assert run.returncode != 0
    assert message in run.stdout + run.stderr
    assert not (tmp_path / "01_bad.ipynb").exists()


def test_structure_tests_can_fail(trial: Path) -> None:
    """A gap in the execution, a hidden cell, a lost caption, a long cell: each is caught."""
    notebook = nbformat.read(trial, as_version=4)
    code = [cell for cell in form.code_cells(notebook) if not form.plumbing(cell)]
    plot = next(cell for cell in code if "minillm-plot" in str(cell.outputs))
    plot.metadata["mystnb"]["image"]["alt"] = ""
    code[1].execution_count = 7
    code[2].source = "\n".join(["x = 1"] * 21)
    code[3].metadata["tags"] = ["hide-input"]
    code[4].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="noise"))
    for check in (
        form.test_executed_in_order,
        form.test_cells_are_small,
        form.test_metadata_is_minimal,
        form.test_no_noise_in_outputs,
        form.test_figures_have_captions_names_and_alt_text,
    ):
        with pytest.raises(AssertionError):
            check(notebook)


CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_a_chapter_becomes_its_script_and_comes_back(chapter: Path, tmp_path: Path) -> None:
    """The script of a committed notebook gives the same cells, ids and metadata."""
    number = chapter.name.split("_")[0]
    command = [sys.executable, str(MAKER), "--script", number]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    sys.path.insert(0, str(MAKER.parent))
    try:
        import make_notebook
    finally:
        sys.path.pop(0)
    again = make_notebook.read(tmp_path / f"{chapter.stem}.py")
    make_notebook.clean(again)
    for cell in (*again.cells, *(committed := form.read(chapter)).cells):
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
    assert again.cells == committed.cells
    refused = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert refused.returncode == 1
    assert "already" in refused.stdout
