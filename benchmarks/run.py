"""Measure everything and write benchmarks/results.md: ``make bench``.

Both sides of a row run in turns in one session, and their results are asserted equal. Peers that
are not installed are left out, and the table says so.
"""

from __future__ import annotations

import importlib
import platform
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PARTS = (
    "startup", "tokenizers", "wordpiece_speed", "unigram_speed", "sentencepiece_speed",
    "bytepiece_speed", "worst_cases",
    "training", "storyteller",
)
VERSIONS = (
    "numpy", "numba", "tiktoken", "tokenizers", "sentencepiece", "bytepiece", "torch"
)


def processor() -> str:
    """The processor's name, and how many cores this machine has."""
    import os

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines()
                 if line.startswith("model name")]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores"


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def line(row) -> str:
    return (f"| {row.what} | {row.against} | {row.ours:.3g} {row.unit} | {row.theirs:.3g} "
            f"{row.unit} | {row.ratio:.2f}× | {row.note} |")


def main(parts: list[str]) -> None:
    text = [
        "# Measurements", "",
        f"Made by `make bench` on {date.today()}: {processor()}, "
        f"Python {platform.python_version()}; "
        + ", ".join(f"{name} {installed(name)}" for name in VERSIONS) + ".",
        "Medians of alternating rounds in one session, results asserted equal. "
        "Ratio: how many times better than the other side.", "",
        "| what | against | ours | theirs | ratio | note |", "|---|---|---|---|---|---|",
    ]
    print("\n".join(text))
    left_out = []
    for part in parts:
        try:
            module = importlib.import_module(f"benchmarks.{part}")
            for row in module.rows():
                text.append(line(row))
                print(text[-1], flush=True)
        except ImportError as problem:
            left_out.append(f"- {part}: {problem}")
    if installed("torch") == "not installed":
        left_out.append("- PyTorch is not installed (`.venv/bin/pip install torch`), so its rows "
                        "are missing")
    if left_out:
        text += ["", "Left out:", "", *left_out]
        print("\n".join(text[-len(left_out) - 2:]))
    if parts == list(PARTS):
        Path(__file__).with_name("results.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or list(PARTS))
