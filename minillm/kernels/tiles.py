"""Small matrix products for kernels that keep their tiles in the first-level cache.

A block of c, some rows of 16 or 32 columns, stays in registers while all its terms are added: each
value loaded serves many multiply-adds, and nothing is stored before the end. Numba cannot say
"keep this in a vector register", so the block is written in LLVM's language, which has vectors.
Source: Goto & van de Geijn (2008), section 4.
"""

from __future__ import annotations

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features

from .compiling import OPTIONS, instruction, njit

FUSED = ("contract",)  # a product and a sum may become one instruction, rounded once
LANES = 16  # numbers in a vector; a processor with shorter vectors takes two or four for one
FEATURES = getattr(config, "CPU_FEATURES", None)  # NUMBA_CPU_FEATURES, or this processor's
WIDE = "+avx512f" in (get_host_cpu_features() if FEATURES is None else FEATURES)
INDEX = ir.IntType(64)
ROWS = 8 if WIDE else 4  # as many as leave registers for the factors


@njit(**OPTIONS)
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

    def plain(a, b, c, i, j):
        j2 = j + vectors * LANES
        c[i:i + ROWS, j:j2] += a[i:i + ROWS] @ b[:, j:j2]

    def add_block(typing_context, a, b, c, i, j):
        def generate(context, builder, signature, values):
            a, b, c = (Matrix(context, builder, kind, value)
                       for kind, value in zip(signature.args[:3], values))
            write_block(builder, a, b, c, values[3], values[4], vectors)
            return context.get_dummy_value()
        return types.void(a, b, c, i, j), generate
    return instruction(plain)(add_block)


class Matrix:
    """An array in the function that is being compiled: writes what loads and stores its parts."""

    def __init__(self, context, builder, kind, value):
        self.context, self.builder, self.kind = context, builder, kind
        self.array = context.make_array(kind)(context, builder, value)
        self.number = context.get_data_type(kind.dtype)
        self.vector = ir.VectorType(self.number, LANES)
        self.length = cgutils.unpack_tuple(builder, self.array.shape)[0]

    def at(self, i, j):
        return cgutils.get_item_pointer(self.context, self.builder, self.kind, self.array, [i, j])

    def load(self, i, j):
        """The LANES numbers of row i from column j on."""
        where = self.builder.bitcast(self.at(i, j), self.vector.as_pointer())
        return self.builder.load(where, align=self.context.get_abi_sizeof(self.number))

    def store(self, vector, i, j):
        where = self.builder.bitcast(self.at(i, j), self.vector.as_pointer())
        self.builder.store(vector, where, align=self.context.get_abi_sizeof(self.number))

    def repeat(self, i, j):
        """A vector with the number at (i, j) in every place."""
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined),
                                          self.builder.load(self.at(i, j)), INDEX(0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(one, one, places)


def write_block(builder, a: Matrix, b: Matrix, c: Matrix, i, j, vectors: int):
    """Write one block: load it, add a column of a times a row of b for each k, store it."""
    rows = [builder.add(i, INDEX(r)) for r in range(ROWS)]
    columns = [builder.add(j, INDEX(v * LANES)) for v in range(vectors)]
    totals = {(r, v): cgutils.alloca_once_value(builder, c.load(row, column))
              for r, row in enumerate(rows) for v, column in enumerate(columns)}
    with cgutils.for_range(builder, b.length) as loop:
        right = [b.load(loop.index, column) for column in columns]
        left = [a.repeat(row, loop.index) for row in rows]
        for (r, v), total in totals.items():
            term = builder.fmul(left[r], right[v], flags=FUSED)
            builder.store(builder.fadd(builder.load(total), term, flags=FUSED), total)
    for (r, v), total in totals.items():
        c.store(builder.load(total), rows[r], columns[v])


_add_one_vector = block(1)
_add_two_vectors = block(2)
