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

pytest.importorskip("numba", reason="the twins need Numba")

for module in pkgutil.walk_packages(minillm.__path__, "minillm."):
    if "__main__" not in module.name:
        importlib.import_module(module.name)

B, H, T, S, D, V = 2, 3, 70, 131, 6, 37
TOLERANCE = {np.float32: 3e-6, np.float64: 1e-12}


def arrays(shape, count, dtype, layout, seed=0):
    """Random arrays; ``strided`` ones are every second element of a larger array."""
    rng = np.random.default_rng(seed)
    if layout == "contiguous":
        return [rng.normal(0, 2, shape).astype(dtype) for _ in range(count)]
    wide = (*shape[:-1], 2 * shape[-1])
    return [rng.normal(0, 2, wide).astype(dtype)[..., ::2] for _ in range(count)]


def rowwise(op, names):
    """Cases for functions of arrays of one shape that take ``out``."""
    def run(which, dtype, layout, inplace):
        xs = arrays((B, T, V), len(names), dtype, layout)
        if op.__name__ in ("softmax_backward", "log_softmax_backward"):
            xs[1] = ops.softmax.numpy(xs[1])
        out = xs[0] if inplace else None
        result = getattr(op, which)(*xs, out=out)
        assert not inplace or result is xs[0]
        return [result]
    return run


def dropout_case(which, dtype, layout, inplace):
    x, = arrays((B, T, V), 1, dtype, layout)
    drop = ops.Drop(0.3, 2**32 - 1, 7)
    dropped = [getattr(ops.dropout, which)(x[0, 0], drop), getattr(ops.dropout, which)(x[0], drop)]
    return [*dropped, getattr(ops.dropout, which)(x, drop, out=x if inplace else None)]


def cross_entropy_case(which, dtype, layout, inplace):
    logits, = arrays((B * T, V), 1, dtype, layout)
    labels = np.random.default_rng(1).integers(0, V, B * T)
    labels[::7] = -100
    op = ops.probability.cross_entropy_rows
    gradient = logits if inplace else np.empty_like(logits)
    alone = getattr(op, which)(logits, labels, -100, 0.01)
    loss = getattr(op, which)(logits, labels, -100, 0.01, gradient)
    assert alone == pytest.approx(loss, rel=1e-6)
    return [np.array(loss), gradient]


def add_bias_case(which, dtype, layout, inplace):
    y, b = arrays((B, T, V), 2, dtype, layout)
    ops.add_bias.__getattribute__(which)(y, b[0, 0].copy())
    return [y]


def sum_rows_case(which, dtype, layout, inplace):
    dy, = arrays((B, T, V), 1, dtype, layout)
    db = np.ones(V, dtype)
    getattr(ops.sum_rows, which)(dy, db)
    return [db / 10]


def layer_norm_case(which, dtype, layout, inplace):
    x, w, b = arrays((B, T, V), 3, dtype, layout)
    w, b = w[0, 0].copy(), b[0, 0].copy()
    y, stats = getattr(ops.layer_norm, which)(x, w, b, out=x if inplace else None)
    return [y, stats]


def layer_norm_backward_case(which, dtype, layout, inplace):
    dy, x, w = arrays((B, T, V), 3, dtype, layout)
    w = w[0, 0].copy()
    _, stats = ops.layer_norm.numpy(x, w, w)
    dw, db = np.ones(V, dtype), np.ones(V, dtype)
    dx = getattr(ops.layer_norm_backward, which)(dy, x, w, stats, dw, db,
                                                 out=dy if inplace else None)
    return [dx, dw / 20, db / 20]


def rms_norm_case(which, dtype, layout, inplace):
    x, w = arrays((B, T, V), 2, dtype, layout)
    w = w[0, 0].copy()
    return list(getattr(ops.rms_norm, which)(x, w, out=x if inplace else None))


def rms_norm_backward_case(which, dtype, layout, inplace):
    dy, x, w = arrays((B, T, V), 3, dtype, layout)
    w = w[0, 0].copy()
    _, r = ops.rms_norm.numpy(x, w)
    dw = np.ones(V, dtype)
    dx = getattr(ops.rms_norm_backward, which)(dy, x, w, r, dw, out=dy if inplace else None)
    return [dx, dw / 20]


def embedding_backward_case(which, dtype, layout, inplace):
    dy, = arrays((B, T, V), 1, dtype, layout)
    ids = np.random.default_rng(2).integers(0, 5, (B, T))  # every id occurs many times
    dw = np.ones((9, V), dtype)
    getattr(ops.embedding_backward, which)(dy, ids, dw)
    return [dw / 10]


def heads(layout, dtype):
    q, dy = arrays((B, H, T, D), 2, dtype, layout)
    k, v = arrays((B, H, S, D), 2, dtype, layout, seed=1)
    mask = np.random.default_rng(3).random((B, 1, 1, S)) < 0.7
    mask[0, :, :, :] = False
    mask[0, :, :, 100:] = True  # with causal, the first queries of row 0 see no key
    return dy, q, k, v, mask


def attention_case(which, dtype, layout, inplace):
    _, q, k, v, mask = heads(layout, dtype)
    return [getattr(ops.attention, which)(q, k, v, causal, m, out=q if inplace else None)[0]
            for causal, m in ((False, None), (False, mask), (True, None), (True, mask))
            if not inplace or (m is None and not causal)]


def attention_backward_case(which, dtype, layout, inplace):
    results = []
    for causal in (False, True):
        dy, q, k, v, mask = heads(layout, dtype)
        for m in (None, mask):
            y, saved = getattr(ops.attention, which)(q, k, v, causal, m)
            out = tuple(np.empty_like(x) for x in (q, k, v)) if inplace else None
            results += getattr(ops.attention_backward, which)(dy, q, k, v, y, saved, causal, m,
                                                              out=out)
    return results


def attention_decode_case(which, dtype, layout, inplace):
    _, q, k, v, _ = heads(layout, dtype)
    return [getattr(ops.attention_decode, which)(q[:, :, 0], k, v, np.array([0, 90]))]


def sum_of_squares_case(which, dtype, layout, inplace):
    x, = arrays((1, 5000), 1, dtype, layout)
    return [np.array(getattr(ops.sum_of_squares, which)(x[0]) / 1e4)]


def adamw_case(which, dtype, layout, inplace):
    w, grad, m, v = (x[0] for x in arrays((1, 5000), 4, dtype, "contiguous"))
    v = np.abs(v)
    getattr(ops.adamw, which)(w, grad, m, v, 0.1, 1e-2, 0.9, 0.99, 1e-8, 3)
    return [w, m, v]


def word2vec_case(op):
    def run(which, dtype, layout, inplace):
        inputs, outputs = arrays((9, V), 2, dtype, layout)  # 9 words: many stand twice in a window
        rng = np.random.default_rng(4)
        start, rates = np.array([0, 1, 1, 30, 40, T]), np.linspace(0.02, 0.001, T, dtype=dtype)
        for K in (1, 4, 7):  # in threes, sixes and both
            ids, negatives = rng.integers(0, 9, T), rng.integers(0, 9, (T, K))
            reach = rng.integers(0, 6, T)
            getattr(op, which)(inputs, outputs, ids, start, reach, negatives, rates)
        return [inputs, outputs]
    return run


def lstm_step_case(which, dtype, layout, inplace):
    a, = arrays((T, 4 * V), 1, dtype, layout)
    before, c, h = arrays((T, V), 3, dtype, layout, seed=1)
    getattr(ops.recurrence.lstm_step, which)(a, before, c, h)
    return [a, c, h]


def lstm_step_backward_case(which, dtype, layout, inplace):
    a, = arrays((T, 4 * V), 1, dtype, layout)
    dh, dc, before, c, dbefore = arrays((T, V), 5, dtype, layout, seed=1)
    ops.recurrence.lstm_step.numpy(a, before, c, dh.copy())
    getattr(ops.recurrence.lstm_step_backward, which)(dh, dc, a, before, c, dbefore)
    return [dc, a, dbefore]


def gated_case(which, dtype, layout, inplace):
    x, y = arrays((B, T, 2 * V), 1, dtype, layout) + arrays((B, T, V), 1, dtype, layout)
    return [getattr(ops.gated, which)(x, out=y if inplace else None)]


def gated_backward_case(which, dtype, layout, inplace):
    x, dy = arrays((B, T, 2 * V), 1, dtype, layout) + arrays((B, T, V), 1, dtype, layout)
    return [getattr(ops.gated_backward, which)(dy, x, out=x if inplace else None)]


CASES = {
    "softmax": rowwise(ops.softmax, "x"),
    "softmax_backward": rowwise(ops.softmax_backward, ["dy", "y"]),
    "log_softmax": rowwise(ops.log_softmax, "x"),
    "log_softmax_backward": rowwise(ops.log_softmax_backward, ["dy", "y"]),
    "dropout": dropout_case,
    "gelu": rowwise(ops.gelu, "x"),
    "gelu_backward": rowwise(ops.gelu_backward, ["dy", "x"]),
    "gelu_exact": rowwise(ops.gelu_exact, "x"),
    "gelu_exact_backward": rowwise(ops.gelu_exact_backward, ["dy", "x"]),
    "silu": rowwise(ops.silu, "x"),
    "silu_backward": rowwise(ops.silu_backward, ["dy", "x"]),
    "rms_norm": rms_norm_case,
    "rms_norm_backward": rms_norm_backward_case,
    "cross_entropy_rows": cross_entropy_case,
    "add_bias": add_bias_case,
    "sum_rows": sum_rows_case,
    "layer_norm": layer_norm_case,
    "layer_norm_backward": layer_norm_backward_case,
    "embedding_backward": embedding_backward_case,
    "attention": attention_case,
    "attention_backward": attention_backward_case,
    "attention_decode": attention_decode_case,
    "sum_of_squares": sum_of_squares_case,
    "adamw": adamw_case,
    "lstm_step": lstm_step_case,
    "lstm_step_backward": lstm_step_backward_case,
    "gated": gated_case,
    "gated_backward": gated_backward_case,
    "skip_gram": word2vec_case(ops.skip_gram),
    "bag_of_neighbours": word2vec_case(ops.bag_of_neighbours),
}


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


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "gelu", "softmax_backward"])
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


def misfits(array):
    """The array with an element less along its last axis, an axis less and an axis more."""
    if array.shape[-1] > 1:
        yield array[..., :-1].copy()
    yield array[..., 0].copy()
    yield np.repeat(array[..., None], 2, axis=-1)


BELOW = {"attention_backward", "cross_entropy_rows", "skip_gram", "bag_of_neighbours"}


@pytest.mark.parametrize("name", sorted(set(CASES) - BELOW))
def test_shapes_that_do_not_fit_are_refused(name, monkeypatch):
    """What the definition refuses, the twin refuses too, instead of reading past an array's end."""
    op, calls = next(op for op in TWINS if op.__name__ == name), []
    twin = op.numba

    def recorded(*args, **kwargs):
        calls.append((args, kwargs))
        return twin(*args, **kwargs)

    monkeypatch.setattr(op, "numba", recorded)
    CASES[name]("numba", np.float32, "contiguous", False)
    monkeypatch.undo()
    args, kwargs = calls[0]
    for i, array in enumerate(args):
        for wrong in misfits(array) if isinstance(array, np.ndarray) and array.ndim else ():
            changed = [x.copy() if isinstance(x, np.ndarray) else x for x in args]
            changed[i] = wrong
            try:
                with np.errstate(all="ignore"):
                    op.numpy(*changed, **kwargs)
            except (ValueError, IndexError, TypeError):
                with pytest.raises((ValueError, TypeError, IndexError)):
                    op.numba(*changed, **kwargs)


@pytest.mark.parametrize("name", ["skip_gram", "bag_of_neighbours"])
def test_the_trainers_of_word_vectors_take_no_other_number_of_axes(name, monkeypatch):
    """They are called by Word2Vec alone, which makes their arrays; compiling refuses others."""
    op, calls = next(op for op in TWINS if op.__name__ == name), []
    twin = op.numba
    monkeypatch.setattr(op, "numba", lambda *args: (calls.append(args), twin(*args))[1])
    CASES[name]("numba", np.float32, "contiguous", False)
    monkeypatch.undo()
    inputs, outputs, *rest = calls[0]
    for wrong in ((inputs[0], outputs), (inputs, outputs[0])):
        with pytest.raises(Exception, match=r"(?i)typ|shape|axes|dim"):
            op.numba(*wrong, *rest)


@pytest.mark.parametrize("which", range(6))
def test_attention_backward_names_the_shape_that_does_not_fit(which):
    q = np.random.default_rng(0).normal(size=(2, 4, 6, 8)).astype(np.float32)
    k, v = q[:, :2].copy(), q[:, :2, :, :5].copy()
    y, saved = ops.attention.numba(q, k, v, causal=True)
    args = [np.ones_like(y), q, k, v, y, saved]
    for wrong in misfits(args[which]):
        changed = [wrong if i == which else x for i, x in enumerate(args)]
        with pytest.raises(ValueError, match=r"shape|one backend"):
            ops.attention_backward.numba(*changed, causal=True)


def test_outputs_that_do_not_fit_are_refused():
    """Where the result goes must have its shape."""
    x = np.zeros((3, 5), np.float32)
    for op in (ops.softmax, ops.gelu, ops.silu, ops.log_softmax):
        with pytest.raises(ValueError, match=r"out has shape \(3, 4\)"):
            op.numba(x, out=np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match=r"grad has shape \(4,\); expected \(N\) with {'N': 5}"):
        ops.adamw.numba(x[0], x[0, :4], x[0], x[0], 0.0, 0.1, 0.9, 0.99, 1e-8, 1)
    with pytest.raises(ValueError, match=r"w has shape \(3, 5\); expected \(N\)"):
        ops.adamw.numba(x, x, x, x, 0.0, 0.1, 0.9, 0.99, 1e-8, 1)


def test_every_twin_says_which_shapes_it_takes():
    from minillm.kernels.argument_shapes import FREE, SHAPES

    assert set(SHAPES) | set(FREE) == {op.__name__ for op in TWINS}
