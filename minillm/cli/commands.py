"""The group of commands, and what happens to errors."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from .modelling import evaluate
from .preparing import preprocess
from .serving import demo
from .tokenizing import decode, encode, tokenizer
from .training import STOPPED, train
from .writing import generate


class Commands(click.Group):
    """A group that turns errors about the input into one line and exit code 1.

    Errors of any other type are defects of the program and keep their traceback.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        write_anything()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            raise
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(STOPPED)
        except UnicodeDecodeError as problem:
            raise click.ClickException(f"text that is not UTF-8: {problem}") from problem
        except (ValueError, OSError) as problem:
            raise click.ClickException(advised(one_line(problem), ctx)) from problem
        except MemoryError as problem:
            raise click.ClickException("not enough memory; use a smaller --batch-size, --context "
                                       "or --width") from problem


def write_anything() -> None:
    """Let a console that lacks a character show its number, as in \\u732b, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def one_line(problem: Exception) -> str:
    """An error as a single line that names the file and, for a full disk, the way out."""
    if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
        return "the disk is full; free some space and repeat (what was complete is kept)"
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return " ".join(str(problem).split())


def advised(line: str, ctx: click.Context) -> str:
    """An error with advice for the library's user turned into advice for the command line's."""
    what, found, _ = line.partition("; pass special=")
    if not found:
        return line
    if ctx.invoked_subcommand == "encode":
        return (f"{what}; take it out, or without --output give --special allow to encode it as "
                "its id, or --special text as ordinary text")
    return f"{what}; take it out: this command puts special tokens where they belong"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="minillm")
def group() -> None:
    """Train a small language model on your own text, and let it write.

    \b
    Three steps, with any text:
      minillm train runs/mine novel.txt          tokenizer and model in runs/mine
      minillm generate runs/mine --prompt "It was"
      minillm evaluate runs/mine other.txt       loss, perplexity, bits per byte

    \b
    Nothing at hand? Two corpora are built in:
      minillm train runs/stories --stories en    made-up stories of known entropy
      minillm train runs/docs --python-docs      Python's own documentation

    And a trained model comes along: minillm generate storyteller
    """


for command in (tokenizer, encode, decode, preprocess, train, generate, evaluate, demo):
    group.add_command(command)


def main() -> None:
    """Run the command line."""
    group(prog_name="minillm")
