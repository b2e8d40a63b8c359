"""Small matrix products for kernels that keep their tiles in the first-level cache.

A block of c, some rows of 16 or 32 columns, stays in registers while all its terms are added: each
value loaded serves many multiply-adds, and nothing is stored before the end. Numba cannot say
"keep this in a vector register", so the block is written in LLVM's language, which has vectors.
Source: Goto & van de Geijn (2008), section 4.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

from .arrays import FAST

FUSED = ("contract",)  # a product and a sum may become one instruction, rounded once
LANES = 16  # numbers in a vector; a processor with shorter vectors takes two or four for one
WIDE = "+avx512f" in (config.CPU_FEATURES or get_host_cpu_features())
ROWS = 8 if WIDE else 4  # as many as leave registers for the factors
INNER: dict[str, Any] = {"fastmath": FAST, "error_model": "numpy", "cache": True}


@njit(**INNER)
def multiply_add(a, b, c):
    """c += a b.  a: (n, k) of any layout, b: (k, m), c: (n, m); n and m are multiples of 16."""
    for i in range(0, c.shape[0], ROWS):
        j = 0
        if WIDE:
            while j + 2 * LANES <= c.shape[1]:
                _add_two_vectors(a, b, c, i, j)
                j += 2 * LANES
        while j < c.shape[1]:
            _add_one_vector(a, b, c, i, j)
            j += LANES


def block(vectors: int):
    """A function for kernels: c[i:i+R, j:j+w] += a[i:i+R] b[:, j:j+w], w = 16 vectors."""

    def add_block(typing_context, a, b, c, i, j):
        def generate(context, builder, signature, values):
            arrays = [(t, context.make_array(t)(context, builder, value))
                      for t, value in zip(signature.args[:3], values)]
            number = context.get_data_type(a.dtype)
            write_block(context, builder, *arrays, *values[3:], number, vectors)
            return context.get_dummy_value()
        return types.void(a, b, c, i, j), generate
    return intrinsic(add_block)


def write_block(context, builder, a, b, c, i, j, number, vectors):
    """The instructions of one block. a, b and c are pairs of a Numba type and an array."""
    vector, index = ir.VectorType(number, LANES), ir.IntType(64)
    all_first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

    def plus(x, n):
        return builder.add(x, index(n))

    def address(array, row, column, kind):
        where = cgutils.get_item_pointer(context, builder, *array, [row, column])
        return builder.bitcast(where, kind.as_pointer())

    def load(array, row, column, kind):
        value = builder.load(address(array, row, column, kind))
        value.align = context.get_abi_sizeof(number)
        return value

    def repeat(value):
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), value,
                                       ir.IntType(32)(0))
        return builder.shuffle_vector(first, first, all_first)

    cells = [(r, v, cgutils.alloca_once(builder, vector))
             for r in range(ROWS) for v in range(vectors)]
    for r, v, total in cells:
        builder.store(load(c, plus(i, r), plus(j, v * LANES), vector), total)
    with cgutils.for_range(builder, cgutils.unpack_tuple(builder, b[1].shape)[0]) as loop:
        k = loop.index
        right = [load(b, k, plus(j, v * LANES), vector) for v in range(vectors)]
        left = [repeat(load(a, plus(i, r), k, number)) for r in range(ROWS)]
        for r, v, total in cells:
            term = builder.fmul(left[r], right[v], flags=FUSED)
            builder.store(builder.fadd(builder.load(total), term, flags=FUSED), total)
    for r, v, total in cells:
        store = builder.store(builder.load(total), address(c, plus(i, r), plus(j, v * LANES),
                                                           vector))
        store.align = context.get_abi_sizeof(number)


_add_one_vector = block(1)
_add_two_vectors = block(2)
