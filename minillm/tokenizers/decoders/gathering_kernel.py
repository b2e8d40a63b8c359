"""Putting the bytes of many tokens one after another."""

from ..text.machine_kernel import lean


@lean(cache=True, nogil=True)
def gather(places, sizes, data, begins, stops, out, edges):
    """Copy data[places[k] : places[k] + sizes[k]] of all tokens k to `out` that are in no stretch.

    Stretch s is begins[s] to stops[s]; behind it comes out[edges[s] : edges[s + 1]].
    """
    n = 0
    for s in range(begins.size):
        edges[s] = n
        for k in range(stops[s], begins[s + 1] if s + 1 < begins.size else places.size):
            for j in range(sizes[k]):
                out[n + j] = data[places[k] + j]
            n += sizes[k]
    edges[begins.size] = n
