"""Putting the bytes of many tokens one after another."""

from ..text.machine_kernel import lean, load64, store64


@lean(cache=True, nogil=True)
def find_stretches(waiting, starts, begins, stops, rows):
    """The stretches that the decoder does itself, see ``by_table``; returns how many they are.

    waiting (n,): is the token one that leaves the decoder waiting? starts: of the rows.
    """
    count = 0
    for row in range(starts.size - 1):
        k, end = starts[row], starts[row + 1]
        while k < end:
            if not waiting[k] and k > starts[row]:
                k += 1
                continue
            begins[count], rows[count] = k, row
            while k < end and waiting[k]:
                k += 1
            k = min(k + 1, end)
            stops[count] = k
            count += 1
    return count


@lean(cache=True, nogil=True)
def gather(flat, table, begins, stops, between, ends, out, edges):
    """Write the bytes of all ids to `out`: by the table, or of a stretch what it becomes.

    Stretch s is flat[begins[s] : stops[s]] and becomes between[ends[s] : ends[s + 1]], which stands
    in `out` from edges[s] on; the last one of `edges` is the end of all. Behind the bytes of all
    arrays are eight more, which are copied but not meant.
    """
    n, count = 0, begins.size
    for s in range(count):
        edges[s] = n
        copy(between, ends[s], ends[s + 1] - ends[s], out, n)
        n += ends[s + 1] - ends[s]
        for k in range(stops[s], begins[s + 1] if s + 1 < count else flat.size):
            place, size = table.places[flat[k]], table.sizes[flat[k]]
            copy(table.data, place, size, out, n)
            n += size
    edges[count] = n


@lean(forceinline=True)
def copy(data, place, size, out, n):
    """Write data[place : place + size] to `out` from n on, and up to eight bytes more."""
    for j in range(0, size, 8):
        store64(out, n + j, load64(data, place + j))
