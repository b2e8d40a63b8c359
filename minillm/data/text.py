"""Text from files: the reader's own, and the Python installation's sources and documentation."""

from __future__ import annotations

import ast
import codecs
import inspect
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.resources import files
from os import PathLike
from pathlib import Path

import numpy as np

SUFFIXES = (".txt", ".md", ".rst", ".py", ".json", ".csv", ".html", ".tex")
UNITS = ("file", "line", "paragraph")


def read_text(path: str | PathLike[str], encoding: str = "utf-8") -> str:
    """The text of a file (a byte-order mark is dropped, line ends become ``\\n``).

    Raises ValueError naming the first byte that is not of this encoding.
    """
    try:
        b"a".decode(encoding, "ignore")
        known = codecs.lookup(encoding).name
    except LookupError:
        raise ValueError(f"encoding={encoding!r} is not a known encoding of text; use a name such "
                         "as utf-8, gb18030 or latin1") from None
    data = Path(path).read_bytes()
    mark = known == "utf-8" and data.startswith(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8-sig" if mark else known)
    except UnicodeDecodeError as error:
        at = error.start + 3 * mark
        line = data.count(b"\n", 0, at) + 1
        raise ValueError(f"path={str(path)!r} is not {encoding.upper()}: byte 0x{data[at]:02x} at "
                         f"position {at} (line {line}); name its encoding, such as gb18030 or "
                         "latin1") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def text_files(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    suffixes: tuple[str, ...] = SUFFIXES,
) -> list[Path]:
    """The files meant by ``paths``, in a fixed order.

    A file stands for itself whatever its name; a folder for all files below it with one of the
    ``suffixes``, sorted by path, hidden ones left out.
    """
    if isinstance(paths, str | PathLike):
        paths = [paths]
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(path.rglob("*"), key=lambda p: p.relative_to(path).as_posix())
            chosen = [
                p
                for p in inside
                if p.suffix.lower() in suffixes
                and p.is_file()
                and not any(part.startswith(".") for part in p.relative_to(path).parts)
            ]
            if not chosen:
                raise ValueError(f"folder {str(path)!r} holds no file ending in {suffixes}")
            found += chosen
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(f"path={str(path)!r} is neither a file nor a folder")
    return found


def documents(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    per: str = "file",
    suffixes: tuple[str, ...] = SUFFIXES,
    encoding: str = "utf-8",
) -> Iterator[str]:
    """The documents in files and folders, one ``per`` "file", "line" or "paragraph".

    Paragraphs are separated by blank lines. Documents of white space alone are left out.
    """
    if per not in UNITS:
        raise ValueError(f"per={per!r} is not a unit of text; use one of {UNITS}")
    for path in text_files(paths, suffixes):
        text = read_text(path, encoding)
        if per == "file":
            if text.strip():
                yield text
        elif per == "line":
            yield from (line for line in text.split("\n") if line.strip())
        else:
            yield from paragraphs(text)


def paragraphs(text: str) -> Iterator[str]:
    """The blocks of non-blank lines of ``text``."""
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield "\n".join(block)
            block = []


def up_to(texts: Iterable[str], max_bytes: int | None) -> Iterator[str]:
    """``texts`` until their UTF-8 bytes reach ``max_bytes``; the last one is cut to fit."""
    if max_bytes is not None and max_bytes < 0:
        raise ValueError(f"max_bytes={max_bytes} is negative; use 0 or more, or None for all")
    left = max_bytes
    for text in texts:
        if left is None:
            yield text
            continue
        if left <= 0:
            return
        data = text.encode("utf-8")
        yield text if len(data) <= left else data[:left].decode("utf-8", errors="ignore")
        left -= len(data)


def source_files() -> list[Path]:
    """The Python installation's own .py files, in a fixed order, third-party packages left out."""
    root = Path(sysconfig.get_path("stdlib"))
    apart = {"site-packages", "dist-packages", "__pycache__"}
    inside = [(path.relative_to(root), path) for path in root.rglob("*.py")]
    return [path for name, path in sorted(inside) if not apart & set(name.parts)]


def readable_sources() -> Iterator[str]:
    """The text of each source file that is UTF-8 (a few of the tests' are not, on purpose)."""
    for path in source_files():
        try:
            text = read_text(path)
        except ValueError:
            continue
        if text.strip():
            yield text


def python_sources(max_bytes: int | None = None) -> Iterator[str]:
    """The source code of Python's standard library, one document per file, in a fixed order.

    Real, varied text of tens of MB on every machine; it differs between Python versions.
    """
    return up_to(readable_sources(), max_bytes)


def python_documentation(max_bytes: int | None = None) -> Iterator[str]:
    """English prose that every Python brings along: the language reference, then docstrings.

    First the help topics of ``pydoc_data``, then for each module of the standard library the
    docstrings of the module, its classes and functions (read from the source, nothing is
    imported), one document per topic or module, in a fixed order.
    """
    return up_to(documentation(), max_bytes)


def documentation() -> Iterator[str]:
    """The documents of ``python_documentation``, without the limit."""
    topics = files("pydoc_data").joinpath("topics.py").read_text(encoding="utf-8")
    assignment = ast.parse(topics).body[-1]
    if isinstance(assignment, ast.Assign):
        table = ast.literal_eval(assignment.value)
        yield from (table[name] for name in sorted(table) if table[name].strip())
    for text in readable_sources():
        prose = docstrings(text)
        if prose:
            yield prose


def numpy_documentation(max_bytes: int | None = None) -> Iterator[str]:
    """Real technical English that is the same under every Python: the installed NumPy's docstrings.

    Every string of several lines in the source files with the most documentation, one document
    each, in a fixed order; about a megabyte. It changes with the version of NumPy.
    """
    folder = Path(np.__file__).parent
    return up_to(long_strings(folder / name for name in DOCUMENTED), max_bytes)


DOCUMENTED = (
    "_core/fromnumeric.py", "lib/_function_base_impl.py", "linalg/_linalg.py", "_core/numeric.py",
    "lib/_arraysetops_impl.py", "lib/_npyio_impl.py", "fft/_pocketfft.py", "_core/_add_newdocs.py",
    "lib/_shape_base_impl.py", "lib/_nanfunctions_impl.py", "ma/core.py", "ma/extras.py",
)


def long_strings(paths: Iterable[Path]) -> Iterator[str]:
    """Strings of at least three lines in Python files, unindented."""
    for path in paths:
        if not path.exists():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and text.strip().count("\n") > 1:
                yield inspect.cleandoc(text) + "\n"


def docstrings(source: str) -> str:
    """All docstrings of a Python source, unindented, with blank lines between."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # some of the standard library's tests are broken on purpose
        return ""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]
    return "\n\n".join(text for text in found if text)
