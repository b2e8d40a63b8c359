"""Numba twins of the definitions in :mod:`minillm.ops`, and the loops that run over text.

Rules that every kernel here keeps:

- ``parallel=True`` promises the compiler that array arguments do not overlap. A kernel gets one
  array to update or disjoint ones; the Python function around it copies first where needed.
- Sums over rows are taken in a fixed number of parts, so results do not depend on the number of
  threads.
- ``fastmath`` leaves NaN and infinity alone.
"""

import os

# OpenBLAS and Numba each keep threads. Those of GNU OpenMP wait by spinning, for milliseconds, on
# the cores that the matrix product after a kernel needs; a training step took 1.4 times as long.
# This must be set before Numba starts its threads.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
