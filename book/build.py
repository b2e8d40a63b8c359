"""Build the book from the committed notebooks; any warning is an error. Used by `make book`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALL = "from jupyter_book.cli.main import main; main()"


def main() -> int:
    """Run Jupyter Book and show its output only when something is wrong."""
    command = [sys.executable, "-c", CALL, "build", ".", "-W", "--keep-going"]
    print("Building the book", flush=True)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        print(run.stdout, run.stderr, "The book was not built: see above.", sep="\n")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
