"""Do the stored outputs, and the tests of the package, hold with other processors' code?

    python -m tests.book.processors notebooks/*.ipynb tests/ops tests/models

runs them once with each setting below: OpenBLAS, Numba and NumPy then use the instructions of
another processor, as far as this one has them, or one thread.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# What NumPy uses here beyond what every processor has, and the part of it that is AVX-512.
FOUND: list[str] = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
WIDE = [name for name in FOUND if "512" in name or name == "X86_V4"]
SETTINGS = (
    {"OPENBLAS_CORETYPE": "Haswell", "NUMBA_CPU_NAME": "generic",
     "NPY_DISABLE_CPU_FEATURES": " ".join(FOUND)},
    {"OPENBLAS_CORETYPE": "Zen", "NUMBA_CPU_NAME": "znver2",
     "NPY_DISABLE_CPU_FEATURES": " ".join(WIDE)},
    *([{"OPENBLAS_CORETYPE": "SkylakeX"}] if WIDE else []),  # others have not its instructions
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
