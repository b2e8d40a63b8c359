"""Writing files so that a crash leaves the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: nothing can be locked, so nothing is known to be left over
    fcntl = None  # type: ignore[assignment]

ENDING = ".minillm-partial"  # of the names of files that are being written


@contextmanager
def written_atomically(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A binary file that takes the name ``path`` only once it is wholly on the disk.

    Until then it has another name in the same folder, and its writer holds a lock on it. What a
    killed process has left there is removed by the next one that writes to ``path``; several may
    write at once, and the last to end wins.
    """
    target = Path(path)
    remove_left_over(target)
    handle, temporary = locked_temporary(target)
    lock = os.dup(handle)  # the same lock; it is held until the file has its name
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if fcntl is None:
            os.close(lock)  # Windows does not rename open files
            lock = -1
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException as problem:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(problem, OSError) and problem.filename == temporary:
            problem.filename, problem.filename2 = str(target), None
        raise
    finally:
        if lock >= 0:
            os.close(lock)


def locked_temporary(target: Path) -> tuple[int, str]:
    """(handle, name) of a new file beside ``target``, locked where the system can."""
    while True:
        try:
            handle, name = tempfile.mkstemp(ENDING, target.name + ".", target.parent)
        except OSError as problem:
            problem.filename = str(target)  # the caller knows nothing of another name
            raise
        if fcntl is None:
            return handle, name
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if is_still(handle, name):
            return handle, name
        os.close(handle)  # another process took it for a left-over before it was locked


def remove_left_over(target: Path) -> None:
    """Remove files that were to become ``target`` and whose writers are no more."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        for name in os.listdir(target.parent):
            if re.fullmatch(re.escape(target.name) + r"\.[a-z0-9_]{8}" + re.escape(ENDING), name):
                remove_unlocked(str(target.parent / name))


def remove_unlocked(name: str) -> None:
    """Remove a file unless somebody holds its lock."""
    with contextlib.suppress(OSError):
        handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_still(handle, name):
                os.unlink(name)
        finally:
            os.close(handle)


def is_still(handle: int, name: str) -> bool:
    """Whether ``name`` is the file that is open as ``handle``."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name, follow_symlinks=False))
    except FileNotFoundError:
        return False
