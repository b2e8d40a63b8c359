"""How the tests run a command: in this process, or in one of its own."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner, Result

from minillm.cli import group


def call(*arguments: object, **options: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(group, [str(a) for a in arguments], **options)  # type: ignore


def start(*arguments: object) -> subprocess.Popen[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "minillm", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
