"""Words and documents as vectors: counted, weighted, compared, drawn, and probed."""

from .counts import (
    bag_of_words,
    document_frequencies,
    inverse_document_frequency,
    one_hot,
    tf_idf,
    word_index,
)
from .neighbours import analogy, cosine, nearest, unit
from .probe import LinearProbe, linear_probe
from .projection import PrincipalComponents, principal_components
from .words import WordVectors

__all__ = [
    "LinearProbe", "PrincipalComponents", "WordVectors", "analogy", "bag_of_words", "cosine",
    "document_frequencies", "inverse_document_frequency", "linear_probe", "nearest", "one_hot",
    "principal_components", "tf_idf", "unit", "word_index",
]
