"""The page as a process of its own, for tests and for photographs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def served(*options: str, output: IO[str] | None = None) -> Iterator[str]:
    """Start ``minillm demo`` with these options at a free port; gives its address.

    output: a file for all that it prints.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "minillm", "demo", *options, "--port", str(port)],
        stdout=output or subprocess.DEVNULL, stderr=output, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
        yield url
    finally:
        if server.poll() is None:
            os.killpg(server.pid, 15)
        server.wait(timeout=20)
