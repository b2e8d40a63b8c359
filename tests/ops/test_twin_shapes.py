"""Shapes that do not fit are refused by the Numba twins, as by their definitions."""

import numpy as np
import pytest

from minillm import ops
from minillm.backends import TWINS

from .twin_cases import CASES

pytest.importorskip("numba", reason="the twins need Numba")


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
