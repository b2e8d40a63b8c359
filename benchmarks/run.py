"""Measure everything and write benchmarks/results.md: ``make bench``.

Both sides of a row run in turns in one session, and their results are asserted equal. Peers that
are not installed are left out, and the table says so. ``python -m benchmarks.run PART …`` measures
some parts again and leaves the others as they were.
"""

from __future__ import annotations

import importlib
import platform
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .worst_cases import draw_growth

PARTS = (  # training before those that take much memory: peaks are those of the process
    "startup", "training", "family", "attention_speed", "beam_speed", "experts_speed",
    "storyteller", "tokenizers", "wordpiece_speed", "unigram_speed", "sentencepiece_speed",
    "bytepiece_speed", "production_speed", "first_sight", "worst_cases",
    "word2vec_speed",
)
VERSIONS = (
    "numpy", "numba", "tiktoken", "tokenizers", "sentencepiece", "bytepiece", "torch",
    "transformers", "gensim", "gigatoken",
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


HEAD = """# Measurements

Made by `make bench`, or a part of it by `python -m benchmarks.run PART`. Medians of alternating
rounds in one session, results asserted equal. Ratio: how many times better than the other side.
"""
TABLE = "| what | against | ours | theirs | ratio | note |\n|---|---|---|---|---|---|\n"
RESULTS = Path(__file__).with_name("results.md")


def measured(part: str) -> str:
    """The section of one part, printed while it grows."""
    text = (
        f"## {part}\n\n{date.today()}: {processor()}, Python {platform.python_version()}; "
        + ", ".join(f"{name} {installed(name)}" for name in VERSIONS) + f".\n\n{TABLE}"
    )
    print(text, end="", flush=True)
    try:
        for row in importlib.import_module(f"benchmarks.{part}").rows():
            text += line(row) + "\n"
            print(line(row), flush=True)
    except ImportError as problem:
        text += f"\nLeft out: {problem}. `.venv/bin/pip install` brings the library.\n"
    return text


def sections() -> dict[str, str]:
    """The sections of results.md by their parts."""
    if not RESULTS.exists():
        return {}
    found = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]
    found = [text.split("\n![")[0] for text in found]
    return {text.split("\n", 1)[0]: f"## {text.strip()}\n" for text in found}


def main(parts: list[str]) -> None:
    for part in parts:
        if part not in PARTS:
            raise SystemExit(f"{part!r} is not a part; use some of {', '.join(PARTS)}")
        made = measured(part)
        kept = {**sections(), part: made}
        text = "\n".join([HEAD, *(kept[name] for name in PARTS if name in kept)])
        if "worst_cases" in kept:
            text += "\n![Time against text](growth.png)\n"
            draw_growth(kept["worst_cases"], RESULTS.with_name("growth.png"))
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or list(PARTS))
