"""What the twins cannot compute as their definitions do is refused by name."""

import inspect

import numpy as np
import pytest

import minillm
from minillm import ops
from minillm.backends import TWINS

pytest.importorskip("numba", reason="the twins need Numba")

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 2, 2, 3)
NOT_NUMBERS = {"ids", "labels", "start", "mask", "reach", "negatives", "place"}
SETTINGS = {"k", "ignore_index", "weight", "decay", "lr", "beta1", "beta2", "eps", "step"}


def arguments(op, dtype):
    """Each argument of a twin that is an array of numbers (of ``dtype``), or something else."""
    found = {}
    for name in inspect.signature(op.numpy).parameters:
        if name in NOT_NUMBERS:
            found[name] = np.zeros((2, 2), bool if name == "mask" else np.int64)
        elif name in SETTINGS:
            found[name] = 1
        elif name not in ("axis", "causal"):
            found[name] = X.astype(dtype)
    return found


@pytest.mark.parametrize("op", TWINS, ids=lambda op: op.__name__)
@pytest.mark.parametrize("dtype", ["float16", "int64", "bool", ">f4", "complex64", "longdouble"])
def test_every_twin_refuses_numbers_it_has_no_kernel_for(op, dtype):
    given = arguments(op, dtype)
    first = next(name for name in given if name not in NOT_NUMBERS)
    shown = np.dtype(dtype)
    with minillm.backend("numba"), pytest.raises(
            TypeError, match=f"^{op.__name__}: {first} has dtype {shown}; the twins take float32 "
                             r"or float64; convert it, or use backend\('numpy'\)"):
        op(**given)


@pytest.mark.parametrize("op", TWINS, ids=lambda op: op.__name__)
def test_every_twin_refuses_a_mixture(op):
    """Whichever argument is the odd one, also where it stands in a tuple."""
    names = [name for name in arguments(op, float) if name not in NOT_NUMBERS | SETTINGS]
    for odd in names[1:]:
        given = arguments(op, np.float32)
        given[odd] = given[odd].astype(np.float64)
        if odd == "out" and op is ops.attention_backward:
            given["out"] = X, X, given["out"]
        why = f"^{op.__name__}: {odd} has dtype float64, but {names[0]} float32"
        with minillm.backend("numba"), pytest.raises(TypeError, match=why):
            op(**given)


@pytest.mark.parametrize("op", [op for op in TWINS if NOT_NUMBERS & {
    *inspect.signature(op.numpy).parameters}], ids=lambda op: op.__name__)
def test_ids_must_be_whole_and_masks_true_or_false(op):
    """Numba would cut 1.5 to the id 1; an integer mask has no opposite."""
    for name in NOT_NUMBERS & {*inspect.signature(op.numpy).parameters}:
        given = arguments(op, np.float32)
        given[name] = given[name].astype(np.int64 if name == "mask" else np.float64)
        with minillm.backend("numba"), pytest.raises(
                TypeError, match=f"^{op.__name__}: {name} has dtype {given[name].dtype}; expected"):
            op(**given)


def test_it_is_refused_after_a_call_that_was_right():
    for good, bad in ((X, X.astype(np.float16)), (X.astype(np.float64), X.astype(int))):
        ops.softmax.numba(good)
        ops.softmax_backward.numba(good, good, out=good.copy())
        with pytest.raises(TypeError, match="softmax: x has dtype"):
            ops.softmax.numba(bad)
        with pytest.raises(TypeError, match="softmax_backward: out has dtype"):
            ops.softmax_backward.numba(good, good, out=bad)


def test_a_mask_of_numbers_is_refused_by_the_definition():
    q = np.zeros((1, 1, 2, 3))
    with pytest.raises(TypeError, match="mask has dtype int64; expected bool"):
        ops.attention.numpy(q, q, q, mask=np.ones((2, 2), np.int64))


def test_the_definitions_take_what_the_twins_do_not():
    with minillm.backend("numpy"):
        np.testing.assert_allclose(ops.softmax(np.array([0, 0, 0])), 1 / 3)
        assert ops.softmax(X.astype(np.float16)).dtype == np.float16
