"""Numba twins of the definitions in :mod:`minillm.ops`, and the loops that run over text.

Rules that every kernel here keeps:

- A kernel is serial and lets go of Python's lock. The Python function around it cuts the work and
  hands the parts to :mod:`minillm.threads`. None says ``parallel=True``: that compiles twice as
  long, brings threads that abort, or hang after a fork, or spin beside BLAS, and promises the
  compiler that arrays do not overlap.
- Sums over rows are taken in a fixed number of parts, so results do not depend on the number of
  threads.
- ``fastmath`` leaves NaN and infinity alone.
"""
