"""What the text kernels ask of the compiler: no reference counts, and two machine instructions.

Numba counts references to every array handed to a function that is not inlined; each count is an
atomic instruction, and together they took three quarters of the time of these kernels. ``lean``
compiles without them, which is allowed where a function creates no arrays.
"""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

njit: Any = numba.njit
instruction: Any = intrinsic


def lean(function: Any = None, **options: Any) -> Any:
    """``njit`` for functions that create no arrays."""
    decorate = njit(_nrt=False, **options)
    return decorate if function is None else decorate(function)


@instruction
def load64(typingctx, array, i):
    """Eight bytes of a uint8 array from index i on, as one little-endian uint64."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        where = builder.gep(data, [args[1]])
        word = builder.load(builder.bitcast(where, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(array, types.int64), codegen


@instruction
def trailing_zeros(typingctx, x):
    """Number of zero bits below the lowest one of a uint64 (64 for zero)."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen
