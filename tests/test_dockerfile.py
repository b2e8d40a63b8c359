"""The Dockerfile, as far as it can be checked without an engine that builds images."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from minillm.cli import group

from .demo.serving import served

ROOT = Path(__file__).resolve().parents[1]
TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text("utf-8"))
LINES = [line.partition(" ")[::2] for line in TEXT.splitlines() if line and line[0] != "#"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SLOW = pytest.mark.skipif("MINILLM_SLOW" not in os.environ,
                          reason="takes minutes and the network: MINILLM_SLOW=1")

PAGE_USED = """
from streamlit.testing.v1 import AppTest
from minillm.cli.serving import PAGE
app = AppTest.from_file(str(PAGE), default_timeout=300).run()
for kind, text in (("en", "One day. " * 200), ("zh", "一天，" * 100), ("translate", ""),
                   ("fill_en", ""), ("fill_zh", "")):
    app.selectbox[0].set_value(kind).run()
    if text:
        app.text_area[0].set_value(text).run()
        for slider, value in ((0, 300), (3, 5), (4, 0.5)):
            app.slider[slider].set_value(value).run()
        app.button[0].click().run()
    assert not app.exception and not app.error
"""


def lines(name: str) -> list[str]:
    """What stands after an instruction, each time it occurs."""
    return [rest for instruction, rest in LINES if instruction == name]


def health() -> list[str]:
    """The command that asks the page how it is."""
    return json.loads(lines("HEALTHCHECK")[0].partition("CMD ")[2])


def test_every_copied_file_exists_and_is_let_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    assert "*" in ignored
    copied = [source for rest in lines("COPY") for source in rest.split()[:-1]]
    assert {"constraints.txt", "pyproject.toml", PROJECT["readme"], "minillm"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert "!" + source in ignored, source


def test_what_pip_is_told_to_install() -> None:
    (command,) = [shlex.split(rest) for rest in lines("RUN") if rest.startswith("pip")]
    assert command[command.index("--constraint") + 1] == "constraints.txt"
    assert command[-1] == ".[demo]"
    extras = PROJECT["optional-dependencies"]
    pinned = {line.partition("==")[0].lower()
              for line in (ROOT / "constraints.txt").read_text("utf-8").split("\n")}
    for needed in [*PROJECT["dependencies"], *extras["demo"], *extras["show"]]:
        name = re.match(r"[\w-]+", needed)[0].lower()
        assert name in {*pinned, "minillm"}, name
    wanted = tuple(map(int, re.search(r"python:(\d+)\.(\d+)-slim", lines("FROM")[0]).groups()))
    assert wanted >= tuple(map(int, re.findall(r"\d+", PROJECT["requires-python"])))


def test_it_gives_up_root_before_it_runs_anything_of_ours() -> None:
    order = [name for name, _ in LINES]
    (user,) = lines("USER")
    assert user in next(rest for rest in lines("RUN") if rest.startswith("useradd"))
    first = next(i for i, line in enumerate(LINES) if "first_visit" in line[1])
    assert order.index("USER") < first < order.index("CMD")
    assert f"/{user}/" in lines("ENV")[0]


def test_the_command_exists_with_these_options() -> None:
    program, name, *options = json.loads(lines("CMD")[0])
    assert PROJECT["scripts"][program] == "minillm.cli:main"
    command = group.commands[name]
    chosen = command.make_context(name, list(options)).params
    assert chosen["host"] == "0.0.0.0"
    assert str(chosen["port"]) == lines("EXPOSE")[0]
    assert f":{chosen['port']}/" in health()[-1]


def test_the_page_says_that_it_is_well(tmp_path: Path) -> None:
    """And it asks no foreign host, as Streamlit does by itself where all addresses are served."""
    pytest.importorskip("streamlit", reason="the page needs Streamlit")
    _, _, *options = json.loads(lines("CMD")[0])
    _, *asked = health()
    said = tmp_path / "said.txt"
    with said.open("w") as output, served(*options[:2], output=output) as address:
        here = [part.replace("http://127.0.0.1:8501", address) for part in asked]
        assert here != asked
        assert subprocess.run([sys.executable, *here], check=False).returncode == 0
    assert "external" not in said.read_text("utf-8").lower()
    until = time.monotonic() + 30
    while subprocess.run([sys.executable, *here], capture_output=True, check=False).returncode != 1:
        assert time.monotonic() < until  # it takes a moment to end, and is then not well


@SLOW
def test_after_the_first_visit_nothing_is_compiled(tmp_path: Path) -> None:
    """In a new environment, with the Dockerfile's own pip command."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    (command,) = [shlex.split(rest) for rest in lines("RUN") if rest.startswith("pip")]
    subprocess.run([python, "-m", *command], cwd=ROOT, check=True)
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    kept["NUMBA_CACHE_DIR"] = str(tmp_path / "kernels")
    stderr = [subprocess.run([python, "-m", "minillm.demo.first_visit"], cwd=tmp_path, env=kept,
                             capture_output=True, text=True, check=True).stderr for _ in range(2)]
    assert "compiling kernels" in stderr[0]
    assert "compiling kernels" not in stderr[1]
    compiled = set((tmp_path / "kernels").rglob("*.nbc"))
    subprocess.run([python, "-c", PAGE_USED], cwd=tmp_path, env=kept, check=True)
    assert set((tmp_path / "kernels").rglob("*.nbc")) == compiled
