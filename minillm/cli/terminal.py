"""What the command line knows of who typed it: which options, and is anybody looking?"""

import sys

import click


def given(name: str) -> bool:
    """Whether an option of the running command was typed, not left at its default."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def watched() -> bool:
    """Whether somebody looks at the progress bars: stderr is a terminal."""
    return sys.stderr.isatty()
