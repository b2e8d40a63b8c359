"""The command line: what it does and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minillm.training import load_checkpoint

from .calls import TEXT, TINY, call


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


@pytest.mark.parametrize("end", ["<|endoftext|>", "<eod>"])
def test_token_file(end: str, text: Path, tmp_path: Path) -> None:
    file, tokens = tmp_path / "tok.json", tmp_path / "tokens.bin"
    call("tokenizer", "train", file, text, "--vocab-size", 300, "--special", end)
    assert call("encode", file, text, "--output", tokens).exit_code == 0
    assert call("decode", file, "--file", tokens).output == TEXT + end


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
