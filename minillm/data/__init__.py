"""Corpora, token datasets and the loader."""

from minillm.data import collection, stories
from minillm.data.downloading import download
from minillm.data.loader import IGNORE_INDEX, DataLoader
from minillm.data.masking import MaskedLoader, mask_tokens
from minillm.data.text import (
    documents,
    numpy_documentation,
    python_documentation,
    python_sources,
    read_text,
)
from minillm.data.tokens import TokenDataset

__all__ = [
    "IGNORE_INDEX",
    "DataLoader",
    "MaskedLoader",
    "TokenDataset",
    "collection",
    "documents",
    "download",
    "mask_tokens",
    "numpy_documentation",
    "python_documentation",
    "python_sources",
    "read_text",
    "stories",
]
