"""From a folder of texts to windows of tokens, and on to a model that is given titles."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from minillm.cli.runs import Run
from minillm.cli.titles import with_title
from minillm.data import DataLoader, TokenDataset, collection
from minillm.training import load_checkpoint

from .calls import call, start

TINY = ["--layers", 1, "--heads", 2, "--width", 16, "--batch-size", 2, "--print-every", 5]


@pytest.fixture
def novels(tmp_path: Path) -> Path:
    """A folder of five texts in which two sentences alternate; one has no title of its own."""
    folder = tmp_path / "novels"
    folder.mkdir()
    for i in range(5):
        body = f"The cat number {i} sat on the mat. The dog ran home again.\n" * (6 + 5 * i)
        (folder / f"book{i}.txt").write_text(body if i == 3 else f"Cat {i}\n\n{body}", "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the Chinese collection, preprocessed and trained for two epochs."""
    run = tmp_path_factory.mktemp("runs") / "zh"
    made = call("preprocess", run, "--collection", "zh", "--segment", "--window", 32,
                "--vocab-size", 1800, "--max-bytes", 30_000)
    assert made.exit_code == 0, made.output
    result = call("train", run, "--epochs", 2, *TINY, "--validation", 0)
    assert result.exit_code == 0, result.output
    return run


def test_the_title_is_a_short_first_line_or_the_name() -> None:
    assert with_title("The Ferry\n\nIt was.", "f") == ("The Ferry", "It was.")
    assert with_title("It was\nlate.\n\nSo.", "f") == ("f", "It was\nlate.\n\nSo.")
    assert with_title("x" * 90 + "\n\nIt was.", "f")[0] == "f"
    assert with_title("The Ferry\n\n", "f") == ("f", "The Ferry")


def test_documents_are_titles_and_texts(novels: Path, tmp_path: Path) -> None:
    """Decoded, tokens.bin is what was read; the summary counts it."""
    run = Run(str(tmp_path / "run"))
    result = call("preprocess", run.folder, novels, "--model", "byte_bpe", "--vocab-size", 320,
                  "--window", 24, "--stride", 10, "--shortest", 22)
    assert result.exit_code == 0, result.output
    tok, data = run.tokenizer(), TokenDataset.open(run.tokens)
    found = tok.decode(data.ids.tolist()).split("<eod>")
    expected = {}
    for path in novels.iterdir():
        title, text = with_title(path.read_text("utf-8"), path.stem)
        expected[f"{title}<sep>{text}"] = path
    assert set(found[:-1]) == set(expected)
    assert any(text.startswith("book3<sep>") for text in found)
    loader = DataLoader(data, 1, 24, 10, windows="sliding", shortest=22, drop_last=False)
    counts = run.prepared()["counts"]
    assert counts["windows"] == len(loader.starts)
    assert counts["dropped"] == loader.dropped > 0
    assert counts["documents"] == 5
    assert counts["unknown"] == 0
    assert f"windows     {len(loader.starts):,} of 24 tokens, every 10" in result.output
    assert f"dropped     {loader.dropped:,} tokens" in result.output
    log = (run.folder / "preprocess.log").read_text().splitlines()
    assert sum(int(line.split(" characters ")[1].split(" tokens")[0].replace(",", ""))
               for line in log) == len(data)


def test_lines_have_no_titles(novels: Path, tmp_path: Path) -> None:
    result = call("preprocess", tmp_path / "run", novels, "--per", "line", "--model", "byte_bpe",
                  "--vocab-size", 300, "--window", 24)
    assert result.exit_code == 0, result.output
    data = TokenDataset.open(tmp_path / "run" / "tokens.bin")
    assert len(data.document_bounds) - 1 == sum(6 + 5 * i for i in range(5)) + 4
    assert "<sep>" not in Run(str(tmp_path / "run")).tokenizer().decode(data.ids.tolist())


def test_gb18030(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("喊渡\n\n那天下雨，没有人过河。".encode("gb18030"))
    result = call("preprocess", tmp_path / "run", tmp_path / "a.txt", "--window", 4)
    assert result.exit_code == 1
    assert "is not UTF-8: byte 0xba at position 0 (line 1); name its encoding" in result.stderr
    assert call("preprocess", tmp_path / "run", tmp_path / "a.txt", "--encoding", "gb18030",
                "--window", 4).exit_code == 0
    run = Run(str(tmp_path / "run"))
    ids, tok = TokenDataset.open(run.tokens).ids.tolist(), run.tokenizer()
    assert tok.decode(ids) == "喊渡 那天下雨,没有人过河。"  # as NFKC has it
    assert ids[-1] == tok.token_to_id("<eod>")
    assert ids.count(tok.token_to_id("<sep>")) == 1


def test_a_trained_run_knows_its_epochs(trained: Path) -> None:
    """Two checkpoints, one for each time through all windows, and the picture of the curve."""
    counts = Run(str(trained)).prepared()["counts"]
    steps = counts["windows"] // 2
    assert load_checkpoint(trained / "epoch-1.npz").state["step"] == steps
    assert load_checkpoint(trained / "epoch-2.npz").state["step"] == 2 * steps
    assert load_checkpoint(trained / "checkpoint.npz").state["step"] == 2 * steps
    assert (trained / "loss.png").read_bytes().startswith(b"\x89PNG")
    header, first, *_ = (trained / "log.csv").read_text().splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert 0 <= float(row["accuracy"]) <= 1


def test_means_of_an_epoch_are_per_token(tmp_path: Path) -> None:
    from minillm.cli.stopping import epoch_line, pace

    log = tmp_path / "log.csv"
    log.write_text("step,tokens,loss,accuracy\n1,10,9,0\n2,20,9,0\n3,60,2.0,0.5\n4,70,1.0,0.25\n")
    assert epoch_line(log, 2, 2) == "epoch 2: loss 1.8000, accuracy 0.450, means over 50 tokens"
    rows = [{"step": i, "seconds": 2.0 * i, "tokens": 10 * i} for i in range(1, 5)]
    assert pace(rows, 1804) == "  5 tokens/s  1:00:00 left"
    assert pace(rows[:1], 9) == ""


def test_a_title_and_a_prompt(trained: Path) -> None:
    """The text is printed from the prompt on, and holds nothing that stands for no text."""
    arguments = ["generate", trained, "--title", "喊渡", "--prompt", "那天", "--tokens", 120]
    result = call(*arguments, "--temperature", 1.2)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("那天")
    for token in ("<sep>", "<unk>", "<pad>", "<eod>", "⁇"):
        assert token not in result.output
    assert call(*arguments, "--temperature", 1.2).output == result.output
    other = call("generate", trained, "--title", "光程", *arguments[4:], "--temperature", 1.2)
    assert other.output != result.output
    tok = Run(str(trained)).tokenizer()
    first = next(token for token in tok.tokens(result.output[3:]) if token != "▁")
    without = call(*arguments, "--temperature", 1.2, "--forbid", first)
    assert without.exit_code == 0, without.output
    assert without.output != result.output


def test_a_text_can_end_with_a_sentence(trained: Path) -> None:
    result = call("generate", trained, "--prompt", "那天", "--tokens", 2000, "--temperature", 1,
                  "--stop-after", 40, "--repetition-penalty", 1.1, "--min-p", 0.01)
    assert result.exit_code == 0, result.output
    text = result.output.rstrip("\n")
    assert text.rstrip("”").endswith(tuple("。！？!?."))
    assert len(text) < 1500


@pytest.mark.parametrize(("parts", "expected"), [
    (["He", " sat.", " She"], "He sat."), (["He", " sat.", "”", " She"], "He sat.”"),
    (["A.", " b", " c", "!\n", "D"], "A. b c!\n"), (["no", " end"], "no end")])
def test_sentences_end_after_their_quotes(parts: list[str], expected: str) -> None:
    from minillm.cli.writing import until_sentence_ends

    assert "".join(until_sentence_ends(enumerate(parts, 1), 2)) == expected


def test_a_prompt_of_nothing_that_is_known(trained: Path) -> None:
    result = call("generate", trained, "--prompt", "ѬѬѬ")
    assert result.exit_code == 1
    assert "holds nothing that this tokenizer knows" in result.stderr
    assert call("generate", trained, "--forbid", "渡船渡船").exit_code == 1


def test_pretrained_weights_are_the_beginning(trained: Path, tmp_path: Path) -> None:
    """Another text with the same tokenizer; the first loss is that of the pretrained model."""
    (tmp_path / "a.txt").write_text(collection.stories("zh")[0].text[:1500], "utf-8")
    run = tmp_path / "fine"
    assert call("preprocess", run, tmp_path / "a.txt", "--tokenizer", trained / "tokenizer.model",
                "--segment", "--window", 32).exit_code == 0
    result = call("train", run, "--from-pretrained", trained, "--steps", 3, "--batch-size", 2,
                  "--validation", 0, "--warmup", 0, "--lr", 1e-9)
    assert result.exit_code == 0, result.output
    old, new = (load_checkpoint(place / "checkpoint.npz") for place in (trained, run))
    assert new.config == old.config
    np.testing.assert_allclose(new.weights, old.weights, atol=1e-6)
    refused = call("train", tmp_path / "x", tmp_path / "a.txt", "--from-pretrained", trained,
                   "--layers", 3)
    assert refused.exit_code == 2
    assert "--from-pretrained decides on --layers" in refused.stderr


def test_what_preprocess_made_decides(trained: Path, novels: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    call("preprocess", run, novels, "--model", "byte_bpe", "--vocab-size", 300, "--window", 24)
    for arguments, why in [
        (["train", run, "--context", 16], "preprocess, which decides on --context"),
        (["train", run, "--from-pretrained", trained], "another tokenizer than the pretrained"),
        (["train", run, "--steps", 3, "--epochs", 2], "--steps or --epochs, not both"),
        (["preprocess", trained, novels], "holds a trained model"),
        (["preprocess", tmp_path / "y", novels, "--stride", 200], "--stride 200 is more than"),
        (["preprocess", tmp_path / "y", novels, "--collection", "zh"], "one of them"),
        (["preprocess", tmp_path / "y", tmp_path / "none"], "neither a file nor a folder"),
    ]:
        result = call(*arguments)
        assert result.exit_code in (1, 2), result.output
        assert why in result.stderr, result.stderr
    (tmp_path / "dark").mkdir()
    (tmp_path / "dark" / "a.xyz").write_text("x")
    assert "holds no file ending in" in call("preprocess", tmp_path / "y", tmp_path / "dark").stderr


def test_a_damaged_file_of_settings(novels: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    call("preprocess", run, novels, "--model", "byte_bpe", "--vocab-size", 300, "--window", 24)
    for content in ("{}", "[1]", "not json"):
        (run / "prepared.json").write_text(content)
        result = call("train", run, *TINY)
        assert result.exit_code == 1
        assert "prepared.json is damaged" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot lock a folder")
def test_two_trainers_in_one_folder(novels: Path, tmp_path: Path) -> None:
    """The second is refused while the first is at work, and the first loses nothing."""
    run = tmp_path / "run"
    call("preprocess", run, novels, "--model", "byte_bpe", "--vocab-size", 300, "--window", 24)
    first = start("train", run, *TINY, "--steps", 100_000)
    assert first.stdout is not None
    while "step " not in first.stdout.readline():
        assert first.poll() is None
    second = call("train", run, *TINY, "--steps", 3)
    assert second.exit_code == 1
    assert "another process is at work in" in second.stderr
    first.terminate()
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 130, errors
    assert load_checkpoint(run / "checkpoint.npz").state["step"] > 0
    assert json.loads((run / "settings.json").read_text())["steps"] == 100_000
