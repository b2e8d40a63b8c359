"""Options from a file: the same names, the same checks, and what is typed goes before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minillm.training import load_checkpoint

from .calls import call

TEXT = "\n".join(f"The cat number {i} sat on the mat." for i in range(400))
SMALL = 'layers = 1\nheads = 2\nwidth = 16\ncontext = 16\n"vocab-size" = 300\nbatch_size = 2\n'


def trained(folder: Path, config: str, *typed: object, name: str = "c.toml"):
    (folder / "text.txt").write_text(TEXT)
    (folder / name).write_text(config)
    return call("train", folder / "run", folder / "text.txt", "--config", folder / name, *typed)


def test_a_file_says_what_is_not_typed(tmp_path: Path) -> None:
    result = trained(tmp_path, SMALL + "steps = 4\nlr = 0.01\n", "--width", 32)
    assert result.exit_code == 0, result.output
    found = load_checkpoint(tmp_path / "run" / "checkpoint.npz")
    assert (found.config.layers, found.config.heads, found.config.width) == (1, 2, 32)
    assert found.state["step"] == 4
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["lr"] == 0.01


def test_json_does_the_same(tmp_path: Path) -> None:
    config = {"layers": 1, "heads": 2, "width": 16, "context": 16, "vocab_size": 300, "steps": 3,
              "batch_size": 2}
    assert trained(tmp_path, json.dumps(config), name="c.json").exit_code == 0
    assert load_checkpoint(tmp_path / "run" / "checkpoint.npz").config.width == 16


@pytest.mark.parametrize(("config", "why"), [
    ("layer = 3\n", "unknown key 'layer'; did you mean 'layers'?"),
    ("learning-rat = 3\n", "unknown key 'learning-rat'; known are"),
    ("layers = 0\n", "layers = 0"), ("layers = 'two'\n", "layers = 'two'"),
    ("layers = [1, 2]\n", "layers = [1, 2]"), ("layers = true\n", "layers = True"),
    ("lr = -1.0\n", "lr = -1.0"), ("windows = 'round'\n", "windows = 'round'"),
    ("layers = \n", "is not TOML"), ("config = 'x'\n", "unknown key 'config'"),
    ("[model]\nlayers = 2\n", "unknown key 'model'")])
def test_what_is_wrong_is_named(config: str, why: str, tmp_path: Path) -> None:
    result = trained(tmp_path, config)
    assert result.exit_code == 1, result.output
    assert why in result.stderr
    assert "c.toml" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    result = call("train", tmp_path / "run", "--config", tmp_path / "no.toml")
    assert result.exit_code == 1
    assert "no.toml" in result.stderr
    (tmp_path / "l.json").write_text("[]")
    assert "holds no names" in call("train", tmp_path / "run", "--config",
                                    tmp_path / "l.json").stderr
