"""minillm: a language model you can read.

Every tokenizer, layer and gradient is written out in NumPy; the hot loops have Numba twins.
The submodules are imported on first use, so that ``import minillm`` costs next to nothing:
``backend``, ``ops``, ``nn``, ``models``, ``tokenizers``, ``data``, ``training``, ``generation``,
``show``, ``vectors``, ``interop`` and ``scores``.
"""

import importlib
import sys

from . import backends
from .backends import backend

__version__ = "0.1.0"
_SUBMODULES = (
    "autograd", "data", "generation", "interop", "models", "nn", "ops", "scores", "show",
    "tokenizers", "training", "vectors",
)
__all__ = ["__version__", "backend", *_SUBMODULES]

# ``from minillm.backend import backend`` has been in use; the name itself stays the function's.
sys.modules[f"{__name__}.backend"] = backends


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
