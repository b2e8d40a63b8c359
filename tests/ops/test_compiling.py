"""What a user sees of the compiler: one line when it works, one warning when it cannot keep."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import minillm

pytest.importorskip("numba", reason="kernels need Numba")

PACKAGE = Path(minillm.__file__).parent
USE = """
import numpy as np
from minillm import ops
x = np.ones((2, 4), np.float32)
print(ops.softmax(x)[0, 0], ops.log_softmax(x).shape)
"""


def run(code, **environment):
    kept = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "PYTHONPATH")}
    environment = {"PYTHONPATH": str(PACKAGE.parent)} | environment
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True,
                           env=kept | environment)
    assert found.returncode == 0, found.stderr
    return found


def test_one_line_when_something_is_compiled_and_none_when_it_is_loaded(tmp_path):
    cold = run(USE, NUMBA_CACHE_DIR=str(tmp_path))
    lines = cold.stderr.splitlines()
    assert len(lines) == 1, cold.stderr
    assert "compiling" in lines[0]
    assert "softmax" in lines[0]
    assert "once" in lines[0]
    warm = run(USE, NUMBA_CACHE_DIR=str(tmp_path))
    assert warm.stderr == ""
    assert warm.stdout == cold.stdout == "0.25 (2, 4)\n"
    more = run(USE + "ops.gelu(x)", NUMBA_CACHE_DIR=str(tmp_path))  # one kernel is new
    assert "gelu" in more.stderr
    assert len(more.stderr.splitlines()) == 1


@pytest.mark.parametrize("stderr", ["sys.stderr = None", "sys.stderr.close()",
                                    "sys.stderr = open('/dev/full', 'w', buffering=1)"])
def test_without_a_place_for_it_the_line_is_left_out(tmp_path, stderr):
    if "/dev/full" in stderr and not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full, a disk that is full")
    found = run(f"import os, sys\n{stderr}\n{USE}\nsys.stdout.flush()\nos._exit(0)",
                NUMBA_CACHE_DIR=str(tmp_path))
    assert found.stdout == "0.25 (2, 4)\n"


def test_nothing_is_written_into_a_notebook(tmp_path):
    """There stderr is stored with the cell, and would differ on the next run."""
    notebook = """
import io, sys
Stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
sys.stderr = Stream()
""" + USE + "print(repr(sys.stderr.getvalue()))"
    found = run(notebook, NUMBA_CACHE_DIR=str(tmp_path))
    assert found.stdout.splitlines()[-1] == "''"


def test_others_compile_in_silence(tmp_path):
    """Kernels of a user's own are no business of ours."""
    code = "import minillm.kernels.compiling, numba; print(numba.njit(lambda x: x + 1)(1))"
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)).stderr == ""


@pytest.fixture
def sealed(tmp_path):
    """A copy of the package that can keep nothing, run by a user who has no home.

    Files where folders would have to be also stop a user who may write everywhere.
    """
    package = tmp_path / "site" / "minillm"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (folder / "__pycache__").touch()
    (tmp_path / "home").touch()
    home = str(tmp_path / "home")
    return {"PYTHONPATH": str(package.parent), "HOME": home, "XDG_CACHE_HOME": home,
            "LOCALAPPDATA": home, "PYTHONDONTWRITEBYTECODE": "1"}


TEXT = """
import minillm.tokenizers.bpe.learning_kernel
import minillm.tokenizers.pre_tokenizers.scanning_kernel
import minillm.tokenizers.wordpiece.likelihood_kernel
"""


def test_a_package_that_can_keep_nothing_works_and_says_so_once(sealed, tmp_path):
    found = run(USE + TEXT, **sealed)
    assert found.stdout == "0.25 (2, 4)\n"
    assert found.stderr.count("UserWarning") == 1
    assert found.stderr.count("NUMBA_CACHE_DIR") == 1
    assert "in every process" in found.stderr
    mended = run(USE + TEXT, **sealed, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert "UserWarning" not in mended.stderr
    assert run(USE + TEXT, **sealed, NUMBA_CACHE_DIR=str(tmp_path / "cache")).stderr == ""


PLAIN = """
import numpy as np
from minillm import backend, chinese, ops
from minillm.models import GPT, GPTConfig
from minillm.tokenizers import Tokenizer
from minillm.training import AdamW

def everything():
    model = GPT(GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=8), seed=0)
    optimizer = AdamW(model)
    ids = np.arange(16).reshape(2, 8)
    loss = model.loss(ids, ids)
    model.backward()
    found = [f"{loss:.4f} {optimizer.clip(1e9):.4f}"]
    optimizer.step()
    found.append(model.generate([1, 2], 4, temperature=0))
    found.append(model.generate([[1, 2], [3]], 4, temperature=0))
    texts = ["hello world 12", "the hello of the world"] * 9
    for kind, options in (("byte_bpe", {}), ("wordpiece", {}), ("unigram", {}), ("bytepiece", {}),
                          ("sentencepiece", {"hard_vocab_limit": False})):
        tok = Tokenizer.train(texts, kind, 270, **options)
        found += [tok.encode("hello world the"), tok.encode_batch(["hello", "the 2"])[0].tolist()]
    return found + chinese.cut("我来到北京")

with backend("numpy"):
    defined = everything()
assert everything() == defined
x = np.full(3, 800.0)
print(ops.gelu(x)[0], ops.gelu(-x)[0])
"""


def test_kernels_run_as_plain_python():
    found = run(PLAIN, NUMBA_DISABLE_JIT="1")
    assert found.stdout.split() == ["800.0", "-0.0"]
    assert found.stderr == ""


def test_no_kernel_brings_threads_of_its_own():
    dispatchers = 0
    files = [*PACKAGE.glob("kernels/*.py"), *PACKAGE.rglob("*_kernel.py")]
    for file in files:
        name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        for thing in vars(importlib.import_module(name)).values():
            if hasattr(thing, "targetoptions"):
                dispatchers += 1
                assert not thing.targetoptions.get("parallel"), thing
    assert dispatchers > 100
