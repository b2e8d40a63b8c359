"""Viterbi's algorithm over the pieces that a trie finds in a text; see ``bulk_kernel``."""

from collections import namedtuple

import numpy as np

from ..text.machine_kernel import lean
from ..text.trie_kernel import child, id_at, leads
from ..text.utf8_kernel import character_width

# units: the trie. values: scores by id, float64. byte_ids: ids of byte model, or -1.
# bound: the greatest |score|. epsilon: four unit roundoffs. A sum below `lowest` is set to 0.
Model = namedtuple(
    "Model",
    "units values byte_ids unk_id unk_score fallback apart single words bound epsilon "
    "longest lowest",
)
# words: those seen, a memory of ``memory_kernel``. best, second, edges, path: room to cut a word.
Memory = namedtuple("Memory", "words best second edges path")


@lean
def find_edges(text, i, stop, start, margins, model, memory):
    """Viterbi over text[i:stop], from a sum `start`: best sums, the next best, and best edges.

    An edge is (start << 24) | id. Without `margins` the next best is not kept. Returns False at a
    character that no id stands for.
    """
    best, second, edges = memory.best, memory.second, memory.edges
    n = stop - i
    best[0] = start
    for k in range(1, n + 1):
        best[k] = -np.inf
    if margins:
        for k in range(1, n + 1):
            second[k] = -np.inf
    units, values = model.units, model.values
    k = 0
    while k < n:
        before = best[k]
        if before < model.lowest:
            for j in range(k, min(n, k + model.longest) + 1):
                best[j] -= before
                second[j] -= before
            before = 0.0
        end = k + character_width(text[i + k])
        alone = False
        unit = units[0]
        j = k
        while j < n:
            byte = text[i + j]
            unit = child(units, unit, byte)
            if not leads(unit, byte):
                break
            j += 1
            id = id_at(unit)
            if id >= 0:
                score = before + values[id]
                if model.single:
                    score = np.float64(np.float32(score))
                if margins:
                    second[j] = max(second[j], min(score, best[j]))
                if score > best[j]:
                    best[j] = score
                    edges[j] = (k << 24) | id
                alone |= j == end
        if not alone:
            if model.unk_id < 0:
                best[0] = k
                return False
            score = before + model.unk_score
            if model.single:
                score = np.float64(np.float32(score))
            if margins:
                second[end] = max(second[end], min(score, best[end]))
            if score > best[end]:
                best[end] = score
                edges[end] = (k << 24) | model.unk_id
        k = end
    return True


@lean
def trace(n, memory):
    """Write the best path, last edge first, as ends and edges; returns (edges, least margin)."""
    count, margin = 0, np.inf
    while n > 0:
        margin = min(margin, memory.best[n] - memory.second[n])
        memory.path[2 * count] = n
        memory.path[2 * count + 1] = memory.edges[n]
        n = memory.edges[n] >> 24
        count += 1
    return count, margin


@lean(cache=True, nogil=True)
def find_path(text, i, stop, model, memory):
    """The best path through text[i:stop], as ``trace`` writes it; returns its number of edges."""
    find_edges(text, i, stop, 0.0, False, model, memory)
    return trace(stop - i, memory)[0]
