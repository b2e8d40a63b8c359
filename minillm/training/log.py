"""The log of a training run: a CSV file with a row per step, which survives a crash."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ..files import written_atomically

COLUMNS = ("step", "tokens", "loss", "accuracy", "lr", "norm", "seconds", "valid_loss",
           "valid_accuracy")
HEADER = ",".join(COLUMNS)


def describe(row: dict[str, Any]) -> str:
    """A row of the log as a line to print."""
    right = "" if row["accuracy"] is None else f"  accuracy {row['accuracy']:.3f}"
    line = f"step {row['step']:>6}  loss {row['loss']:.4f}{right}  lr {row['lr']:.2e}"
    if row["valid_loss"] is not None:
        line += f"  valid {row['valid_loss']:.4f}  accuracy {row['valid_accuracy']:.3f}"
    return line


def append_row(path, row: dict[str, Any]) -> None:
    """Add a row to the CSV file, with the header first if the file is new."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists() or path.stat().st_size == 0
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def keep_rows(path, step: int) -> None:
    """Drop the rows after ``step``: they belong to steps that will be taken again.

    What a crash has left at the end, half a row or zero bytes, is dropped too. Raises ValueError
    for a file that is something else than such a log, and leaves it alone.
    """
    path = Path(path)
    if not path.exists():
        return
    content = path.read_bytes().replace(b"\0", b"").decode("utf-8", "replace")
    *lines, half = content.replace("\r\n", "\n").split("\n")  # a whole row ends its line
    if (lines and lines[0] != HEADER) or not HEADER.startswith(half if not lines else ""):
        raise ValueError(f"{path} is not the log of a training run: it begins with "
                         f"{content[:60]!r}, not with {HEADER!r}; move it away, or log to another "
                         "file")
    kept = [line for line in lines[1:] if is_row(line) and int(line.split(",")[0]) <= step]
    with written_atomically(path) as file:
        file.write("".join(line + "\r\n" for line in [HEADER, *kept]).encode())


def is_row(line: str) -> bool:
    """Whether a line of the log has all its cells, the first a number of steps."""
    cells = line.split(",")
    return len(cells) == len(COLUMNS) and line.isascii() and cells[0].isdigit()
