"""Words and documents as vectors: counted, weighted, compared and drawn in two dimensions."""

from .counts import (
    bag_of_words,
    document_frequencies,
    inverse_document_frequency,
    one_hot,
    tf_idf,
    word_index,
)
from .neighbours import analogy, cosine, nearest, unit
from .projection import PrincipalComponents, principal_components
from .words import WordVectors

__all__ = [
    "PrincipalComponents", "WordVectors", "analogy", "bag_of_words", "cosine",
    "document_frequencies", "inverse_document_frequency", "nearest", "one_hot",
    "principal_components", "tf_idf", "unit", "word_index",
]
