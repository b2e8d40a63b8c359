"""WordPiece: a word becomes the longest entries that spell it, from left to right.

Schuster and Nakajima 2012; the form BERT uses (Devlin et al. 2019). Entries that continue a word
begin with ``##``.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...backends import active_backend
from ..text.segments import Pieces, encoded_pieces, token_spans, unknown


@dataclass(eq=False)
class WordPiece:
    """Longest match first.

    vocabulary: bytes of each id. A word with more than `longest` characters, or with a place where
    no entry fits, becomes `unk_id` as a whole; without one it is an error.
    """

    vocabulary: list[bytes | None]
    unk_id: int | None = None
    prefix: str = "##"
    longest: int = 100
    _known: dict = field(default_factory=dict, repr=False, compare=False)
    _memories: dict = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}
        self.lengths = np.array([len(token or b"") for token in self.vocabulary], np.int64)

    def encode_word(self, word: str) -> tuple[list[int], list[int]] | None:
        """Ids of a word and how many bytes each covers; None if it cannot be spelled."""
        ids, widths, start = [], [], 0
        while start < len(word) <= self.longest:
            mark = self.prefix if start else ""
            for end in range(len(word), start, -1):
                id = self.ids.get((mark + word[start:end]).encode())
                if id is not None:
                    break
            else:
                return None
            ids.append(id)
            widths.append(len(word[start:end].encode()))
            start = end
        return (ids, widths) if start == len(word) else None

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the words and their byte spans (n, 2)."""
        if active_backend() != "numba" or self.unk_id is None:
            return self.by_definition(pieces)
        ids, ends = self.encode(*pieces)
        widths, counts = self.lengths[ids], np.diff(ends, prepend=0)
        first = ends - counts
        widths -= len(self.prefix.encode())
        widths[first[counts > 0]] = self.lengths[ids[first[counts > 0]]]
        alone = counts == 1  # the unknown token may stand for any word
        widths[first[alone]] = (pieces.spans[:, 1] - pieces.spans[:, 0])[alone]
        return ids, token_spans(widths, pieces.spans, ends)

    def encode(self, data: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of the words (n, 2) of `data`: word k has ``ids[ends[k - 1] : ends[k]]``."""
        if active_backend() == "numba" and self.unk_id is not None:
            from .bulk import encode_words_given

            return encode_words_given(self, data, words)
        ids, spans = self.by_definition(Pieces(data, words))
        return ids, np.searchsorted(spans[:, 0], words[:, 1])

    def by_definition(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids and spans, word by word."""
        return encoded_pieces(pieces, self.known_or_unknown, self._known)

    def known_or_unknown(self, word: str, position: int) -> tuple[list[int], list[int]]:
        """What ``encode_word`` gives, or the id that stands for an unknown word."""
        found = self.encode_word(word)
        if found is None:
            if self.unk_id is None:
                raise unknown(word, position)
            found = [self.unk_id], [len(word.encode())]
        return found

    def forget(self) -> None:
        """Empty the memory of words seen."""
        self._known.clear()
        self._memories.clear()

    @cached_property
    def entries(self) -> Any:
        """Hash tables of the vocabulary for the kernel."""
        from .bulk import entries

        return entries(self)

    def bulk(self, normalizer: Any, pre_tokenizer: Any) -> Any:
        """Encoding of many texts at once, behind BERT's normalizer and pre-tokenizer."""
        from ..normalizers.bert import BertNormalizer
        from ..pre_tokenizers.bert import BertSplit

        wanted = isinstance(pre_tokenizer, BertSplit) and isinstance(normalizer, BertNormalizer)
        if not wanted or active_backend() != "numba" or self.unk_id is None:
            return None
        from .bulk import bulk_encoder

        return bulk_encoder(self, normalizer)
