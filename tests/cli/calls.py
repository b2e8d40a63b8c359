"""How the tests run a command: in this process, or in one of its own."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner, Result

from minillm.cli import group

TEXT = "\n".join(f"The cat number {i} sat on the mat and saw {i * 7 % 13} birds. 猫坐下了。"
                 for i in range(400))
TINY = ["--vocab-size", "300", "--layers", "1", "--heads", "2", "--width", "16", "--context", "16",
        "--batch-size", "2", "--print-every", "5"]


def call(*arguments: object, **options: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(group, [str(a) for a in arguments], **options)  # type: ignore


def start(*arguments: object) -> subprocess.Popen[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "minillm", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
