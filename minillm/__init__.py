"""minillm: a language model you can read.

Every tokenizer, layer and gradient is written out in NumPy; the hot loops have Numba twins.
The submodules are imported on first use, so that ``import minillm`` costs next to nothing:
``backend``, ``ops``, ``nn``, ``models``, ``tokenizers``, ``data``, ``training``, ``generation``
and ``show``.
"""

import importlib
import os

# After a product, OpenBLAS's threads wait for the next one by spinning for 30 ms, on the cores
# that the kernels in between need: a training step took 1.25 times as long. NumPy reads this once,
# when it is imported, so import minillm first.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "14")

from .backend import backend

__version__ = "0.1.0"
_SUBMODULES = (
    "autograd", "data", "generation", "models", "nn", "ops", "show", "tokenizers", "training",
)
__all__ = ["__version__", "backend", *_SUBMODULES]


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
