"""Ctrl-C, a kill, a full disk and a broken log: how a command ends, and what it leaves behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minillm.data import DataLoader
from minillm.training import load_checkpoint

from .calls import TINY, call, start


def finish(*arguments: object) -> None:
    """Run the command in a process of its own, to its end."""
    process = start(*arguments)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_interrupt_saves_and_resume_goes_on(tmp_path: Path, text: Path) -> None:
    """Ctrl-C in the middle; the resumed run ends with the weights of an unbroken one.

    A kernel that was just compiled and the same one loaded from the cache may differ in the last
    digit. So a first run fills the cache, and every run that is compared is a new process.
    """
    sizes = [*TINY, "--steps", "400"]
    finish("train", tmp_path / "first", text, *TINY, "--steps", "6")
    process = start("train", tmp_path / "broken", text, *sizes)
    assert process.stdout is not None
    assert any("step      5" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "stopped after step" in errors
    assert "Traceback" not in errors
    assert 5 <= load_checkpoint(tmp_path / "broken" / "checkpoint.npz").state["step"] < 400
    finish("train", tmp_path / "broken", "--resume")
    finish("train", tmp_path / "whole", text, *sizes)
    ends = [load_checkpoint(tmp_path / name / "checkpoint.npz") for name in ("broken", "whole")]
    assert np.array_equal(ends[0].weights, ends[1].weights)
    assert all(np.array_equal(ends[0].memory[name], ends[1].memory[name]) for name in "mv")


def test_ctrl_c_ends_a_validation(tmp_path: Path, text: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for; the step before it is saved, and the resumed run loses nothing."""
    sizes = [*TINY, "--steps", 8, "--evaluate-every", 4, "--validation", 0.5]
    assert call("train", tmp_path / "whole", text, *sizes).exit_code == 0
    real, drawn = DataLoader.__iter__, []

    def interrupted(self: DataLoader) -> Any:
        for batch in real(self):
            if not self.shuffle:
                drawn.append(batch)
                if len(drawn) == 2:
                    signal.raise_signal(signal.SIGINT)
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(DataLoader, "__iter__", interrupted)
        result = call("train", tmp_path / "broken", text, *sizes)
    assert result.exit_code == 130, result.output
    assert "stopped after step 4" in result.stderr
    assert len(drawn) == 2
    rows = (tmp_path / "broken" / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "1", "2", "3", "4"]
    assert rows[-1].endswith(",,")
    assert call("train", tmp_path / "broken", "--resume").exit_code == 0
    ends = [load_checkpoint(tmp_path / name / "checkpoint.npz") for name in ("broken", "whole")]
    assert np.array_equal(ends[0].weights, ends[1].weights)
    assert all(np.array_equal(ends[0].memory[name], ends[1].memory[name]) for name in "mv")


def test_killed_while_saving_leaves_the_old_checkpoint(trained: Path, tmp_path: Path) -> None:
    """The process dies between writing and renaming; the last checkpoint still resumes."""
    code = f"""
import os, sys
from minillm.cli import group
from minillm.data import DataLoader
from minillm.training import load_checkpoint
real, count = os.replace, [0]
def dying(source, target):
    if str(target).endswith("checkpoint.npz"):
        count[0] += 1
        if count[0] == 2:
            os._exit(9)
    real(source, target)
os.replace = dying
group(["train", {str(tmp_path / "run")!r}, {str(trained.parent / "text.txt")!r}, *{TINY!r},
       "--steps", "15", "--checkpoint-every", "5"])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 9, run.stderr
    assert load_checkpoint(tmp_path / "run" / "checkpoint.npz").state["step"] == 5
    result = call("train", tmp_path / "run", "--resume")
    assert result.exit_code == 0, result.output
    assert load_checkpoint(tmp_path / "run" / "checkpoint.npz").state["step"] == 15


def test_full_disk(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = call("train", tmp_path / "run", trained.parent / "text.txt", *TINY)
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr
    assert len(result.stderr.splitlines()) == 1


LOOKED_UP = "minillm.cli.commands.Commands.resolve_command"
READ = "minillm.data.documents"
LOADED, LEARNED = "minillm.tokenizers.Tokenizer.load", "minillm.tokenizers.Tokenizer.train"


@pytest.mark.parametrize(("command", "places"), [
    (["tokenizer", "train", "out.json", "TEXT"], [LOOKED_UP, READ, LEARNED]),
    (["tokenizer", "compare", "TEXT"], [LOOKED_UP, READ, LEARNED]),
    (["encode", "TOK", "TEXT"], [LOOKED_UP, READ, LOADED]),
    (["encode", "TOK", "TEXT", "--output", "out.bin"], [LOOKED_UP, READ, LOADED]),
    (["decode", "TOK", "5"], [LOOKED_UP, LOADED]),
    (["train", "new", "TEXT", *TINY], [LOOKED_UP, READ, LEARNED]),
    (["generate", "RUN"], [LOOKED_UP, LOADED, "minillm.generation.stream"]),
    (["evaluate", "RUN", "TEXT"], [LOOKED_UP, LOADED, READ, "minillm.training.evaluate"]),
])
def test_ctrl_c_anywhere_is_code_130(trained: Path, tmp_path: Path, command: list[str],
                                     places: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    names = {"TEXT": trained.parent / "text.txt", "TOK": trained / "tokenizer.json",
             "RUN": trained}
    for place in places:
        with monkeypatch.context() as patch:
            patch.setattr(place, stop)
            result = call(*(names.get(word, word) for word in command))
        assert result.exit_code == 130, (place, result.output, result.exception)
        assert result.stderr.splitlines()[-1:] == ["stopped"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_of_a_process_that_waits(trained: Path) -> None:
    command = [sys.executable, "-m", "minillm", "decode", str(trained / "tokenizer.json")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("70 71\n")
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "stopped\n")


def test_a_log_that_a_crash_broke_does_not_stop_resuming(tmp_path: Path, text: Path) -> None:
    run = tmp_path / "run"
    assert call("train", run, text, *TINY, "--steps", 4).exit_code == 0
    whole = (run / "log.csv").read_bytes()
    for step, broken in enumerate([whole + bytes(64), whole + b"5,160,5.1", bytes(500), b"",
                                   whole[:20]], 5):
        (run / "log.csv").write_bytes(broken)
        result = call("train", run, "--resume", "--steps", step)
        assert result.exit_code == 0, result.output
        rows = (run / "log.csv").read_text().splitlines()
        assert rows[0].startswith("step,tokens,loss")
        steps = [int(row.split(",")[0]) for row in rows[1:]]
        assert steps == ([1, 2, 3, 4, step] if broken.startswith(whole) else [step])
