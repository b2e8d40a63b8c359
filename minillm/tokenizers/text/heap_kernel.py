"""A heap of entries (count, order, key), in whatever order a learner joins pairs.

The first entry must be the one that ``min`` by that order would find.
"""

from collections import namedtuple
from collections.abc import Callable

from .machine_kernel import lean

Heap = namedtuple("Heap", "counts orders keys")


@lean(forceinline=True)
def entry_of(heap, k):
    """Entry k of the heap: (count, order, key)."""
    return heap.counts[k], heap.orders[k], heap.keys[k]


@lean(forceinline=True)
def put_entry(heap, k, entry):
    """Make `entry` entry k of the heap."""
    heap.counts[k], heap.orders[k], heap.keys[k] = entry


def heap_ordered_by(before: Callable) -> tuple[Callable, Callable]:
    """(push, sink) for a kernel ``before(entry, other, tokens)``: does an entry come first?

    Compiled in, for a function that is handed over as an argument keeps kernels off the disk.
    """

    @lean
    def push(heap, size, entry, tokens):
        """Add an entry to the heap of `size` entries."""
        k = size
        while k > 0:
            up = (k - 1) >> 1
            if not before(entry, entry_of(heap, up), tokens):
                break
            put_entry(heap, k, entry_of(heap, up))
            k = up
        put_entry(heap, k, entry)

    @lean
    def sink(heap, size, entry, tokens):
        """Replace the top of the heap of `size` entries by this one."""
        k = 0
        while 2 * k + 1 < size:
            c = 2 * k + 1
            if c + 1 < size and before(entry_of(heap, c + 1), entry_of(heap, c), tokens):
                c += 1
            if not before(entry_of(heap, c), entry, tokens):
                break
            put_entry(heap, k, entry_of(heap, c))
            k = c
        put_entry(heap, k, entry)

    return push, sink
