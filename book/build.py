"""Build the book from the committed notebooks; any warning is an error. Used by `make book`."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALL = "from jupyter_book.cli.main import main; main()"
BUILT = ROOT / "_build"
# What shapes every page; Sphinx itself notices changes of single pages only.
SHAPING = ["_config.yml", "_toc.yml", "constraints.txt", "book/_ext", "book/references.bib"]


def outdated() -> bool:
    """True when a finished build is older than what shapes every page."""
    done = BUILT / ".done"
    files = [f for name in SHAPING for f in (ROOT / name, *(ROOT / name).rglob("*.py"))]
    return not done.exists() or done.stat().st_mtime < max(f.stat().st_mtime for f in files)


def main() -> int:
    """Run Jupyter Book and show its output only when something is wrong."""
    if outdated():
        shutil.rmtree(BUILT, ignore_errors=True)
    command = [sys.executable, "-c", CALL, "build", ".", "-W", "--keep-going"]
    print("Building the book", flush=True)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        print(run.stdout, run.stderr, "The book was not built: see above.", sep="\n")
        shutil.rmtree(BUILT, ignore_errors=True)  # a page with a warning must be read again
    else:
        (BUILT / ".done").touch()
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
