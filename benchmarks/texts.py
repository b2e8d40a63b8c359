"""Text for the benchmarks: English and Python source out of the installed Python and packages."""

import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

SOURCES = {
    "English": "docstrings, comments and documentation of the standard library and packages",
    "Python source": "the standard library and installed packages",
}


def files(*suffixes: str, packages: bool = False) -> Iterator[str]:
    """Texts of the files of the standard library, then of installed packages."""
    stdlib = Path(sysconfig.get_paths()["stdlib"])
    roots = [stdlib] + ([Path(sysconfig.get_paths()["purelib"])] if packages else [])
    for root in roots:
        for path in sorted(root.rglob("*")):
            if root == stdlib and "site-packages" in path.parts:
                continue
            if path.suffix in suffixes and path.is_file():
                try:
                    yield path.read_text("utf-8")
                except (UnicodeDecodeError, OSError):
                    continue


def take(parts: Iterator[str], megabytes: float) -> str:
    """Different parts joined until there are enough bytes."""
    chosen: dict[str, None] = {}
    size = 0.0
    for part in parts:
        if part not in chosen:
            chosen[part] = None
            size += len(part.encode()) / 1e6
            if size >= megabytes:
                break
    return "\n\n".join(chosen)


def prose() -> Iterator[str]:
    """Documentation: docstrings and comments of Python files, .rst and .md files."""
    for text in files(".py", packages=True):
        yield from (
            part for part in text.split('"""')[1::2]
            if len(part) > 80 and not re.search(r"^ *(def|class|return|if|import) ", part, re.M)
        )
        for block in re.findall(r"(?:^[ \t]*#.*\n){2,}", text, re.MULTILINE):
            yield re.sub(r"^[ \t]*#[ \t]?", "", block, flags=re.MULTILINE)
    yield from files(".rst", ".md", packages=True)


def python_source(megabytes: float) -> str:
    return take(files(".py", packages=True), megabytes)


def lines_of(text: str) -> list[str]:
    """The lines that SentencePiece's trainer takes too: not empty, not too long."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and len(line.encode()) <= 4192 and "\0" not in line]
