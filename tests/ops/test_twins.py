"""Every Numba twin equals its NumPy definition: both precisions, strided, in and out of place."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import minillm
from minillm import ops
from minillm.backends import TWINS, active_backend

from .twin_cases import CASES

pytest.importorskip("numba", reason="the twins need Numba")

for module in pkgutil.walk_packages(minillm.__path__, "minillm."):
    if "__main__" not in module.name:
        importlib.import_module(module.name)

TOLERANCE = {np.float32: 3e-6, np.float64: 1e-12}


def test_every_twin_has_a_case():
    assert {op.__name__ for op in TWINS} == set(CASES)


@pytest.mark.parametrize("inplace", [False, True], ids=["out-of-place", "in-place"])
@pytest.mark.parametrize("layout", ["contiguous", "strided"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_twin_equals_definition(name, dtype, layout, inplace):
    expected = CASES[name]("numpy", dtype, layout, inplace)
    found = CASES[name]("numba", dtype, layout, inplace)
    assert len(found) == len(expected) > 0
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        size = max(1.0, float(np.abs(b).max()))  # rounding errors are those of the largest terms
        np.testing.assert_allclose(a, b, rtol=10 * TOLERANCE[dtype],
                                   atol=size * TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "gelu", "gelu_exact",
                                  "gelu_exact_backward", "softmax_backward"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_twin_keeps_nan_and_infinity(name, dtype):
    op = getattr(ops, name)
    count = sum(p.default is p.empty for p in inspect.signature(op.numpy).parameters.values())
    for bad in (np.nan, np.inf, -np.inf):
        x = np.linspace(-2, 2, 40, dtype=dtype).reshape(4, 10)
        x[2, 3] = bad
        with np.errstate(all="ignore"):
            expected, found = op.numpy(*[x] * count), op.numba(*[x] * count)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_twins_agree_far_out():
    x = np.array([[-1e30, 0.0, 80.0], [-200.0, 100.0, 99.0], [-np.inf, 0.0, -87.3]], np.float32)
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(ops.softmax.numba(x), ops.softmax.numpy(x), rtol=1e-6)


def test_attention_of_nan_is_nan_and_not_zero():
    q = np.full((1, 1, 2, 4), np.nan, np.float32)
    k = np.ones((1, 1, 3, 4), np.float32)
    assert np.isnan(ops.attention.numba(q, k, k)[0]).all()


def test_attention_needs_one_backend():
    q = np.ones((1, 1, 2, 4))
    for one, other in (("numpy", "numba"), ("numba", "numpy")):
        y, saved = getattr(ops.attention, one)(q, q, q)
        with pytest.raises(ValueError, match="one backend"):
            getattr(ops.attention_backward, other)(q, q, q, q, y, saved)


def test_the_switch():
    with minillm.backend("numpy"):
        assert active_backend() == "numpy"
        with minillm.backend("numba"):
            assert active_backend() == "numba"
        assert active_backend() == "numpy"
    with pytest.raises(ValueError, match="not a backend"), minillm.backend("cupy"):
        pass


COLD = """
import numpy as np
from minillm import ops
from minillm.backends import TWINS, active_backend

x = np.random.default_rng(0).normal(size=(300, 50)).astype(np.float32)
y = ops.softmax(x)
print(abs(ops.softmax_backward(x, y) - ops.softmax_backward.numpy(x, y)).max() < 1e-6)
print(abs(ops.layer_norm(x, x[0], x[1])[0] - ops.layer_norm.numpy(x, x[0], x[1])[0]).max() < 1e-4)
"""


def test_cold_and_warm_cache_agree(tmp_path):
    """Compiling and loading from the disk cache once gave different results (see DESIGN)."""
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True,
                             env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)})
        assert run.stdout.split() == ["True", "True"], run.stderr


def test_works_without_numba():
    hide = "import sys; sys.modules['numba'] = None\n"
    code = hide + """
import importlib.util as u
find = u.find_spec
u.find_spec = lambda name, *a: None if name == "numba" else find(name, *a)
import numpy as np
from minillm.models import GPT, GPTConfig
model = GPT(GPTConfig(vocab_size=5, context=4, layers=1, heads=1, width=4))
ids = np.array([[1, 2, 3]])
print(round(model.loss(ids, ids), 1))
model.backward()
print(model.generate([1], 3, temperature=0)[0])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.split() == ["1.6", "1"], run.stderr


def test_import_does_not_load_numba():
    code = "import minillm, minillm.models, minillm.training, sys; print('numba' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr
