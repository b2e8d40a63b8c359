"""What the text kernels ask of the compiler: no reference counts, and a few machine instructions.

Numba counts references to every array handed to a function that is not inlined; each count is an
atomic instruction, and together they took three quarters of the time of these kernels. ``lean``
compiles without them, which is allowed where a function creates no arrays.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import TypingError, types

from ...kernels.compiling import instruction, njit


def lean(function: Any = None, **options: Any) -> Any:
    """``njit`` for functions that create no arrays."""
    decorate = njit(_nrt=False, **options)
    return decorate if function is None else decorate(function)


def check_bytes(*arrays: Any) -> None:
    """Refuse, while a kernel is compiled, arrays of anything else: they would be read wrongly."""
    for array in arrays:
        if array.dtype != types.uint8 or array.layout != "C":
            raise TypingError(f"expected an array of uint8 without gaps, got {array}")


def _load64(array, i):
    return np.uint64(int.from_bytes(array[i : i + 8].tobytes(), "little"))


@instruction(_load64)
def load64(typingctx, array, i):
    """Eight bytes of a uint8 array from index i on, as one little-endian uint64."""
    check_bytes(array)

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        where = builder.gep(data, [args[1]])
        word = builder.load(builder.bitcast(where, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(array, types.int64), codegen


def _store64(array, i, word):
    array[i : i + 8] = np.frombuffer(int(word).to_bytes(8, "little"), np.uint8)


@instruction(_store64)
def store64(typingctx, array, i, word):
    """Write a uint64 as eight bytes of a uint8 array, from index i on."""
    check_bytes(array)

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        where = builder.gep(data, [args[1]])
        builder.store(args[2], builder.bitcast(where, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), codegen


def _copy32(out, n, array, i):
    out[n : n + 32] = array[i : i + 32]
    return 32


@instruction(_copy32)
def copy32(typingctx, out, n, array, i):
    """Copy array[i : i + 32] to out[n : n + 32], both uint8, in one go; the result is 32."""
    check_bytes(out, array)
    wide = ir.VectorType(ir.IntType(8), 32)

    def codegen(context, builder, signature, args):
        target, source = (
            builder.bitcast(builder.gep(
                context.make_array(kind)(context, builder, array).data, [place]
            ), wide.as_pointer())
            for kind, array, place in zip(signature.args[::2], args[::2], args[1::2])
        )
        chunk = builder.load(source)
        chunk.align = 1
        builder.store(chunk, target).align = 1
        return context.get_constant(types.int64, 32)

    return types.int64(out, types.int64, array, types.int64), codegen


def _trailing_zeros(x):
    x = int(x)
    return np.uint64((x & -x).bit_length() - 1 if x else 64)


@instruction(_trailing_zeros)
def trailing_zeros(typingctx, x):
    """Number of zero bits below the lowest one of a uint64 (64 for zero)."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


def _leading_zeros(x):
    return np.uint64(64 - int(x).bit_length())


@instruction(_leading_zeros)
def leading_zeros(typingctx, x):
    """Number of zero bits above the highest one of a uint64 (64 for zero)."""

    def codegen(context, builder, signature, args):
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


def _bytes_between(array, i, first, count, fold):
    shifted = (array[i : i + 32] | np.uint8(fold)) - np.uint8(first)
    inside = np.packbits(shifted < np.uint8(count), bitorder="little")
    return np.uint64(int.from_bytes(inside.tobytes(), "little"))


@instruction(_bytes_between)
def bytes_between(typingctx, array, i, first, count, fold):
    """Bit k is set where ``first <= array[i + k] | fold < first + count``, for k in 0..31."""
    check_bytes(array)
    wide = ir.VectorType(ir.IntType(8), 32)

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        where = builder.bitcast(builder.gep(data, [args[1]]), wide.as_pointer())
        chunk = builder.load(where)
        chunk.align = 1

        def everywhere(value):
            byte = builder.trunc(value, ir.IntType(8))
            lane = ir.Constant(ir.IntType(32), 0)
            one = builder.insert_element(ir.Constant(wide, ir.Undefined), byte, lane)
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), 32), [0] * 32)
            return builder.shuffle_vector(one, ir.Constant(wide, ir.Undefined), zeros)

        shifted = builder.sub(builder.or_(chunk, everywhere(args[4])), everywhere(args[2]))
        inside = builder.icmp_unsigned("<", shifted, everywhere(args[3]))
        return builder.zext(builder.bitcast(inside, ir.IntType(32)), ir.IntType(64))

    long = types.int64
    return types.uint64(array, long, long, long, long), codegen
