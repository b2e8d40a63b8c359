"""Do the stored outputs, and the tests of the package, hold with other processors' code?

    python -m tests.book.processors notebooks/*.ipynb tests/ops tests/models

runs them once with each setting below: OpenBLAS and Numba then use the instructions of another
processor, as far as this one has them, or one thread.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (
    {"OPENBLAS_CORETYPE": "Haswell", "NUMBA_CPU_NAME": "generic"},
    {"OPENBLAS_CORETYPE": "Zen", "NUMBA_CPU_NAME": "znver2"},
    {"OPENBLAS_CORETYPE": "SkylakeX"},
    {"OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
)
NBVAL = ["--nbval", "--nbval-sanitize-with", "tests/book/sanitize.cfg"]


def main(paths: list[str]) -> int:
    """Run everything with every setting; say which failed."""
    failed = []
    for setting in SETTINGS:
        name = " ".join(f"{key}={value}" for key, value in setting.items())
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:  # compiled anew for that processor
            environment = os.environ | setting | {"NUMBA_CACHE_DIR": folder}
            command = [sys.executable, "-m", "pytest", "--numprocesses", "2", "--dist", "loadfile"]
            if subprocess.run([*command, *NBVAL, *paths], env=environment, cwd=ROOT).returncode:
                failed.append(name)
    print("failed with: " + "; ".join(failed) if failed else "All hold.")
    return len(failed) > 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
