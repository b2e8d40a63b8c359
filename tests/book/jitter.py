"""Do the stored outputs hold on other processors? A run in which every float is a little off.

    python -m tests.book.jitter 1 notebooks/*.ipynb

executes the notebooks as nbval does, but what a matrix product, a twin or the kernel of decoding
returns is multiplied by 1 + 2.5 ε u, with ε the spacing of floats at 1 (3e-7 for float32, 6e-16
for float64), and u drawn between -1 and 1 from the seed given. Other processors add in another
order and are off by about as much; so a digit at the edge of rounding, or a choice between nearly
equal scores, shows here without owning them.
"""

from __future__ import annotations

import ast
import builtins
import importlib.abc
import importlib.machinery
import os
import subprocess
import sys
import tempfile
from functools import wraps
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("minillm.kernels",)  # compiled: no Python function can be called in there
SPREAD = 2.5  # in spacings of floats at 1: what other processors differ by
STARTUP = "from tests.book.jitter import install; install({seed})"


class Products(ast.NodeTransformer):
    """Writes ``a @ b`` as ``__product__(a @ b)``."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.MatMult):
            return node
        call = ast.Call(ast.Name("__product__", ast.Load()), [node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


class Jitter:
    """Makes floats a little off, the same ones alike in every run with a seed."""

    def __init__(self, seed: int) -> None:
        import numpy as np

        self.draws = np.random.default_rng(seed).uniform(-1, 1, 1 << 20)

    def off(self, value: Any, dtype: Any = None) -> Any:
        """The value with its floats off; arrays are changed in place. dtype: of plain floats."""
        import numpy as np

        if isinstance(value, tuple):
            return tuple(self.off(part, dtype) for part in value)
        if isinstance(value, float | np.floating):
            epsilon = np.finfo(dtype or type(value)).eps
            return type(value)(value * (1 + SPREAD * epsilon * self.draws[0]))
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            return value
        draws = np.resize(self.draws, value.shape)
        factor = (1 + SPREAD * np.finfo(value.dtype).eps * draws).astype(value.dtype)
        if not value.flags.writeable:
            return value * factor
        value *= factor
        return value

    def after(self, function: Any) -> Any:
        """The function, its results off."""
        import numpy as np

        @wraps(function)
        def off(*args: Any, **kwargs: Any) -> Any:
            arrays = [a for a in args if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
            dtype = min((a.dtype for a in arrays), key=lambda d: d.itemsize, default=None)
            return self.off(function(*args, **kwargs), dtype)

        return off

    def mark(self, module: Any) -> None:
        """What a module of the package just loaded gives to others is made to jitter."""
        if module.__name__ == "minillm.backends":
            plain = module.twin

            def twin(definition: Any) -> Any:
                op = self.after(plain(definition))
                op.numpy, op.numba = self.after(op.numpy), self.after(op.numba)
                return op

            module.twin = twin
        if module.__name__ == "minillm.models.fast_decoding":
            module.FastDecoder.extend = self.after(module.FastDecoder.extend)


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the package with its products marked; nothing is cached."""

    jitter: Jitter

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        tree = Products().visit(ast.parse(self.get_data(path), path))
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: Any) -> None:
        super().exec_module(module)
        self.jitter.mark(module)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if not name.startswith("minillm.") or name.startswith(KEPT):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def install(seed: int) -> None:
    """Make this process jitter: the package, and the cells of a notebook."""
    import numpy as np

    jitter = Jitter(seed)
    Loader.jitter = jitter
    for name in ("matmul", "dot", "einsum", "inner", "tensordot", "vdot"):
        setattr(np, name, jitter.after(getattr(np, name)))
    vars(builtins)["__product__"] = jitter.off
    sys.meta_path.insert(0, Finder())
    shell = vars(builtins).get("get_ipython", lambda: None)()
    if shell is not None:
        shell.ast_transformers.append(Products())


def main(seed: str, notebooks: list[str]) -> int:
    """nbval over the notebooks, with kernels that jitter."""
    with tempfile.TemporaryDirectory() as folder:
        startup = Path(folder, "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "00-jitter.py").write_text(STARTUP.format(seed=int(seed)))
        environment = os.environ | {"IPYTHONDIR": folder, "PYTHONPATH": str(ROOT)}
        settings = ["--nbval", "--nbval-sanitize-with", "tests/book/sanitize.cfg",
                    "--numprocesses", "2", "--dist", "loadfile"]
        command = [sys.executable, "-m", "pytest", *settings, *notebooks]
        return subprocess.run(command, env=environment, cwd=ROOT).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
