"""The log of a training run survives crashes, and no other file is taken for one."""

import csv

import pytest

from minillm.training import evaluate, load_checkpoint
from minillm.training.log import COLUMNS, append_row, describe, keep_rows

from .test_training import trainer


def log_of(path, steps):
    for step in range(1, steps + 1):
        append_row(path, dict.fromkeys(COLUMNS) | {"step": step, "loss": 1.5, "tokens": 7})
    return path.read_bytes()


@pytest.mark.parametrize("ending", [
    b"", bytes(64), b"6,7,1", b"6,7,1.", b"6", b"\xff\xfe\x00", b"6,7,1.5,,,,,,",
    b"x,7,1.5,,,,,,\r\n", b"\r\n\r\n", b"1,2\r\n",
])
def test_a_broken_ending_is_dropped(tmp_path, ending):
    path = tmp_path / "log.csv"
    whole = log_of(path, 5)
    path.write_bytes(whole + ending)
    keep_rows(path, 99)
    assert path.read_bytes() == whole
    keep_rows(path, 3)
    path.with_name("three.csv").unlink(missing_ok=True)
    assert path.read_bytes() == log_of(path.with_name("three.csv"), 3)


def test_rows_after_zero_bytes_are_kept(tmp_path):
    path = tmp_path / "log.csv"
    whole = log_of(path, 2)
    path.write_bytes(whole + bytes(10))
    append_row(path, dict.fromkeys(COLUMNS) | {"step": 3})
    keep_rows(path, 99)
    assert path.read_bytes() == whole + b"3,,,,,,,,\r\n"


@pytest.mark.parametrize("content", [b"", bytes(99), b"step,tok", b"step,tokens,loss,accuracy"])
def test_a_log_broken_at_its_beginning_begins_again(tmp_path, content):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    keep_rows(path, 3)
    assert path.read_bytes() == (",".join(COLUMNS) + "\r\n").encode()


@pytest.mark.parametrize("content", [b"name,price\r\nbread,3\r\n", b"Dear diary", b"\xff" * 9])
def test_another_file_is_not_a_log(tmp_path, content):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not the log of a training run"):
        keep_rows(path, 3)
    assert path.read_bytes() == content


def test_a_log_in_zero_bytes_does_not_stop_resuming(tmp_path):
    path, log = tmp_path / "run.npz", tmp_path / "log.csv"
    trainer(checkpoint=path, log=log).fit(4)
    log.write_bytes(log.read_bytes() + bytes(64))
    again = trainer(checkpoint=path, log=log)
    again.resume(path)
    again.fit(6)
    with open(log, newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [1, 2, 3, 4, 5, 6]
    assert load_checkpoint(path).state["step"] == 6


def test_accuracy_is_logged_when_asked_for(tmp_path):
    """The share of labels that were the best guess, as evaluate counts it on the same batch."""
    for options in ({}, {"workers": 3}, {"accumulate": 2}, {"smoothing": 0.2}):
        run = trainer(accuracy=True, log=tmp_path / f"{len(options)}{options}.csv", **options)
        run.fit(4)
        model = run.model.replica()
        batches = [next(run._batches) for _ in range(run.accumulate)]
        run._batches.again()
        expected = evaluate(model, batches).accuracy
        row = run.train_step()
        assert row["accuracy"] == pytest.approx(expected)
        assert 0 < row["accuracy"] < 1
        assert f"accuracy {row['accuracy']:.3f}" in describe(row)
    assert trainer().train_step()["accuracy"] is None
