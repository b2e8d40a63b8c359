"""Words as places in a vector: one-hot, bag of words, TF-IDF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ..checks import check, is_whole
from .neighbours import unit

Documents = Iterable[Sequence[str]]


def one_hot(ids, V: int):
    """A 1 at the place of the id, 0 elsewhere.  ids: (...) int in [0, V) -> (..., V) float64."""
    check("V", V, is_whole(V) and V >= 1, "a whole number of words of at least 1")
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids has dtype {ids.dtype}; expected integers")
    outside = (ids < 0) | (ids >= V)
    if outside.any():
        raise ValueError(f"ids holds {ids[outside][0]}, outside [0, {V})")
    return (ids[..., None] == np.arange(V)).astype(np.float64)


def word_index(documents: Documents, least: int = 1) -> dict[str, int]:
    """The words of the documents in alphabetical order, each with its place.

    documents: lists of words. Words that occur less than ``least`` times are left out.
    """
    check("least", least, is_whole(least) and least >= 1, "a whole number of at least 1")
    counts = Counter(word for words in checked(documents) for word in words)
    if not counts:
        raise ValueError("documents holds no word; expected lists of words")
    return {word: i for i, word in enumerate(sorted(w for w, n in counts.items() if n >= least))}


def bag_of_words(documents: Documents, index: dict[str, int]):
    """How often each word occurs in each document: (D, V) float64; order is forgotten.

    Words that ``index`` does not hold are left out.
    """
    if not index:
        raise ValueError("index is empty; make it with word_index(documents)")
    documents = list(checked(documents))
    counts = np.zeros((len(documents), len(index)))
    for row, words in zip(counts, documents, strict=True):
        for word, n in Counter(words).items():
            if word in index:
                row[index[word]] = n
    return counts


def document_frequencies(counts):
    """In how many documents each word occurs.  counts: (D, V) -> (V,)."""
    return (as_matrix("counts", counts) > 0).sum(axis=0)


def inverse_document_frequency(counts):
    """idf_w = ln((1 + D) / (1 + df_w)) + 1: large for words that few documents hold.

    counts: (D, V) -> (V,). The 1s in the fraction count one more document that holds every word,
    so that no word divides by zero; the 1 behind it keeps words that all documents hold.
    Sources: Spärck Jones (1972); this smooth form is scikit-learn's.
    """
    counts = as_matrix("counts", counts)
    if not len(counts):
        raise ValueError("counts has no row; expected a row for each document")
    return np.log((1 + len(counts)) / (1 + document_frequencies(counts))) + 1


def tf_idf(counts, idf):
    """Counts times idf, each row scaled to length 1.  counts: (D, V), idf: (V,) -> (D, V).

    idf: from inverse_document_frequency of the documents that one learns from, which may be
    others. Rows without words stay zero. Source: Salton & Buckley (1988).
    """
    counts, idf = as_matrix("counts", counts), np.asarray(idf, np.float64)
    if idf.shape != counts.shape[1:]:
        raise ValueError(f"idf has shape {idf.shape}, but counts {counts.shape}; expected a weight "
                         "for each column")
    return unit(counts * idf)


def as_matrix(name: str, x):
    """x as a matrix of float64, or a clear error."""
    x = np.asarray(x, np.float64)
    if x.ndim != 2:
        raise ValueError(f"{name} has shape {x.shape}; expected (documents, words)")
    return x


def checked(documents: Documents) -> Iterable[Sequence[str]]:
    """The documents, each of which must be a list of words."""
    for i, words in enumerate([documents] if isinstance(documents, str) else documents):
        if isinstance(words, (str, bytes)):
            raise TypeError(f"documents[{i}]={words!r:.40} is a text; expected a list of words, "
                            "such as text.split()")
        yield words
