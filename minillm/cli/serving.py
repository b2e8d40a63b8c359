"""The command ``demo``: a web page with the models that come along, or with one of yours."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import click

PAGE = Path(__file__).parent.parent / "demo" / "page.py"


@click.command()
@click.argument("run", required=False)
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Who may visit: 127.0.0.1 is this computer alone, 0.0.0.0 everybody who can "
                   "reach it.")
def demo(run: str | None, port: int, host: str) -> None:
    """Show models on a web page: those that come along and, if given, the one in the folder RUN.

    \b
    Examples:
      minillm demo
      minillm demo runs/novels --port 8600

    Ctrl-C ends it. It needs Streamlit: pip install minillm[demo]
    """
    from .runs import open_model

    if importlib.util.find_spec("streamlit") is None:
        raise ValueError("the page needs Streamlit; run: pip install minillm[demo]")
    if run is not None:
        open_model(run, None)  # whatever is wrong with it is said here, not to a visitor
        run = str(Path(run).resolve()) if Path(run).exists() else run
    check_free(host, port)
    command = [sys.executable, "-m", "streamlit", "run", str(PAGE), "--server.address", host,
               "--server.port", str(port), "--server.headless", "true",
               "--browser.gatherUsageStats", "false", "--client.toolbarMode", "minimal",
               "--server.fileWatcherType", "none",
               # or it would ask a foreign host for the address of this computer
               "--logger.hideWelcomeMessage", "true"]
    click.echo(f"Open this page: http://{'localhost' if host == '0.0.0.0' else host}:{port}")
    named = {} if run is None else {"MINILLM_DEMO_RUN": run}
    raise SystemExit(subprocess.call(command, env={**os.environ, **named}))


def check_free(host: str, port: int) -> None:
    """Raise a ValueError where somebody else listens."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise ValueError(f"--port {port} of {host} cannot be used ({problem.strerror}); is "
                             f"another program there? take another, such as --port {port + 1}"
                             ) from None
