"""A text and a run that tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from .calls import TEXT, TINY, call


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20 steps."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.txt").write_text(TEXT, "utf-8")
    result = call("train", folder / "run", folder / "text.txt", *TINY, "--steps", 20)
    assert result.exit_code == 0, result.output
    return folder / "run"
