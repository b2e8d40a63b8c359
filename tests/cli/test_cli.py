"""The command line: what it does, what it refuses, and what an interruption leaves behind."""

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

from .calls import call, start

TEXT = "\n".join(f"The cat number {i} sat on the mat and saw {i * 7 % 13} birds. 猫坐下了。"
                 for i in range(400))
TINY = ["--vocab-size", "300", "--layers", "1", "--heads", "2", "--width", "16", "--context", "16",
        "--batch-size", "2", "--print-every", "5"]


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


def test_help_teaches() -> None:
    for command in ([], ["tokenizer"], ["tokenizer", "train"], ["encode"], ["decode"], ["train"],
                    ["generate"], ["evaluate"]):
        result = call(*command, "--help")
        assert result.exit_code == 0
        if command and command != ["tokenizer"]:
            assert "Examples:" in result.output
            assert f"minillm {' '.join(command)} " in result.output


def test_importing_is_light() -> None:
    code = ("import sys, minillm.cli; print([m for m in ('numba', 'numpy', 'tqdm', 'regex') "
            "if m in sys.modules])")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("model", ["byte_bpe", "char", "word"])
def test_tokens_there_and_back(model: str, text: Path, tmp_path: Path) -> None:
    file, words = tmp_path / "tok.json", "The cat sat. 猫坐下了。"
    result = call("tokenizer", "train", file, text, "--model", model, "--vocab-size", 600)
    assert result.exit_code == 0, result.output
    ids = call("encode", file, "--text", words).output
    assert call("decode", file, *ids.split()).output == words + "\n"
    assert call("decode", file, input=ids).output == words + "\n"


def test_token_file(text: Path, tmp_path: Path) -> None:
    file, tokens = tmp_path / "tok.json", tmp_path / "tokens.bin"
    call("tokenizer", "train", file, text, "--vocab-size", 300)
    assert call("encode", file, text, "--output", tokens).exit_code == 0
    assert call("decode", file, "--file", tokens).output == TEXT + "<|endoftext|>"


def test_run_holds_what_it_says(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == {
        "checkpoint.npz", "log.csv", "loss.png", "settings.json", "tokenizer.json", "tokens.bin"}
    assert len((trained / "log.csv").read_text().splitlines()) == 21
    assert load_checkpoint(trained / "checkpoint.npz").state["step"] == 20


def test_generate_and_evaluate(trained: Path, text: Path) -> None:
    first = call("generate", trained, "--prompt", "The cat", "--tokens", 10, "--count", 2)
    assert first.exit_code == 0
    assert first.output.startswith("The cat")
    again = call("generate", trained, "--prompt", "The cat", "--tokens", 10, "--count", 2)
    assert again.output == first.output
    other = call("generate", trained, "--prompt", "The cat", "--tokens", 10, "--seed", 5)
    assert other.output.splitlines()[0] != first.output.splitlines()[0]
    result = call("evaluate", trained, text)
    assert result.exit_code == 0
    loss = float(result.output.split("loss")[1].split()[0])
    perplexity = float(result.output.split("perplexity")[1].split()[0])
    assert perplexity == pytest.approx(np.exp(loss), rel=1e-2)
    assert 0 < loss < np.log(300)


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


def test_problems_are_one_line(trained: Path, tmp_path: Path) -> None:
    """Exit code 1 and one line on stderr that says what and how to mend it."""
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "short.txt").write_text("Hello there.")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "broken.npz").write_bytes(b"not a checkpoint")
    special = tmp_path / "special.txt"
    special.write_text("The cat sat<|endoftext|>on the mat. " * 200)
    text, run, tok = trained.parent / "text.txt", tmp_path / "run", trained / "tokenizer.json"
    for arguments, expected in [
        (["train", run, tmp_path / "nothing.txt"], "nothing.txt"),
        (["train", run, tmp_path / "empty.txt"], "no text"),
        (["train", run, tmp_path / "latin.txt"], "not UTF-8"),
        (["train", run, tmp_path / "short.txt"], "--context"),
        (["train", run, text, "--vocab-size", 100], "at least 257"),
        (["train", run, text, "--heads", 3], "multiple of heads"),
        (["train", trained, text], "--resume"),
        (["train", trained, "--resume", "--steps", 3], "20 steps already"),
        (["train", run, "--resume"], "no run to resume"),
        (["generate", tmp_path / "broken.npz"], "not a complete minillm checkpoint"),
        (["generate", tmp_path / "no"], "no checkpoint"),
        (["decode", tok, "5", "x"], "'x' is not a token id"),
        (["decode", tok, "99999"], "99999"),
        (["encode", tok, "--text", "a<|endoftext|>"], "give --special allow"),
        (["encode", tok, special, "--output", tmp_path / "x"], "; take it out"),
        (["generate", trained, "--prompt", "a<|endoftext|>"], "; take it out"),
        (["evaluate", trained, special], "; take it out"),
        (["train", run, special], "; take it out"),
        (["encode", tmp_path / "no.json", "--text", "a"], "no.json"),
        (["evaluate", trained, tmp_path / "empty.txt"], "no text"),
    ]:
        result = call(*arguments)
        assert result.exit_code == 1, (arguments, result.output)
        assert expected in result.stderr, (arguments, result.stderr)
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert "special=" not in result.stderr


def test_checkpoint_of_other_sizes(trained: Path, tmp_path: Path) -> None:
    """A checkpoint from another run under this one's name is refused before it is read in."""
    text = trained.parent / "text.txt"
    call("train", tmp_path / "run", text, *TINY, "--width", 32, "--steps", 1)
    (tmp_path / "run" / "checkpoint.npz").write_bytes((trained / "checkpoint.npz").read_bytes())
    result = call("train", tmp_path / "run", "--resume", "--steps", 30)
    assert result.exit_code == 1
    assert "width=16" in result.stderr
    assert "width=32" in result.stderr


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


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb2312:strict", "utf-8"])
def test_a_console_that_lacks_characters(trained: Path, encoding: str) -> None:
    ids = call("encode", trained / "tokenizer.json", "--text", "猫é").output.split()
    arguments = [["decode", trained / "tokenizer.json", *ids],
                 ["generate", trained, "--prompt", "猫é", "--tokens", "0"],
                 ["encode", "--help"], ["encode", trained / "猫.json", "--text", "a"]]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    shown = "猫é".encode(encoding.split(":")[0], "backslashreplace")
    if encoding == "ascii":  # which click takes for a console that does not tell its encoding
        shown = "猫é".encode()
    for i, each in enumerate(arguments):
        command = [sys.executable, "-m", "minillm", *map(str, each)]
        run = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert run.returncode == (1 if i == 3 else 0), run.stderr
        assert run.stdout.rstrip() == shown or i > 1
        assert b"UTF-8" not in run.stderr


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


def test_wrong_use_is_code_2(trained: Path) -> None:
    for arguments in (["train"], ["train", trained, "--resume", "--width", 3],
                      ["generate", trained, "--temperature", -1], ["evaluate", trained],
                      ["nonsense"],
                      ["encode", trained / "tokenizer.json", trained.parent / "text.txt",
                       "--output", trained / "no.bin", "--special", "text"],
                      ["train", "nowhere", "x.txt", "--stories", "en"]):
        result = call(*arguments)
        assert result.exit_code == 2, (arguments, result.output)
        assert "Traceback" not in result.output
