"""BPE whose symbols are characters of words, as Sennrich et al. 2016 have it."""

import random
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...backends import active_backend
from ..text.memories import Memories
from ..text.segments import Pieces, encoded_pieces, unknown
from .dropout import merge_groups


@dataclass(eq=False)
class CharacterBPE:
    """BPE of the characters of words (Sennrich et al. 2016).

    `suffix` marks the last character of a word, so that a token that ends a word differs from the
    same letters inside one; `prefix` marks all but the first. merges: (left, right, merged) ids by
    rank. A character without an entry becomes its bytes (``<0xE4>``) with `byte_fallback`, else
    `unk_id`, with `fuse_unk` one for several; without either it is an error, or with
    `drop_unknown`, as in Hugging Face's library, nothing. `whole_words`: a word that is an entry
    is not taken apart.
    """

    vocabulary: list[bytes | None]
    merges: np.ndarray
    unk_id: int | None = None
    suffix: str = "</w>"
    dropout: float = 0.0
    rng: random.Random | None = None
    prefix: str = ""
    fuse_unk: bool = False
    byte_fallback: bool = False
    whole_words: bool = False
    drop_unknown: bool = False
    dropout_rule: str = "paper"
    _known: dict = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """The id of each token."""
        return {token: id for id, token in enumerate(self.vocabulary) if token is not None}

    @cached_property
    def ranks(self) -> dict[tuple[int, int], tuple[int, int]]:
        """pair of ids -> (rank, merged id); of pairs that stand twice the first."""
        return {
            (left, right): (rank, merged)
            for rank, (left, right, merged) in reversed(list(enumerate(self.merges.tolist())))
        }

    def symbols(self, word: str, position: int = 0) -> list[tuple[int, int]]:
        """(id, bytes of the word it stands for) of the characters of a word before any merge."""
        symbols: list[tuple[int, int]] = []
        waiting: list[tuple[int, int]] = []  # the unknown character before, not yet written
        for k, character in enumerate(word):
            name = self.prefix * (k > 0) + character + self.suffix * (k == len(word) - 1)
            width = len(character.encode())
            id = self.ids.get(name.encode())
            if id is not None:
                symbols += [*waiting, (id, width)]
                waiting = []
            elif fallback := self.bytes_of(name):
                symbols += [(byte, 1) for byte in fallback]
            elif self.unk_id is not None:
                if waiting and self.fuse_unk:
                    width += waiting.pop()[1]
                symbols += waiting
                waiting = [(self.unk_id, width)]
            elif not self.drop_unknown:
                raise unknown(name, position)
        return symbols + waiting

    def bytes_of(self, name: str) -> list[int]:
        """Ids of the bytes of a character, if all of them have one."""
        if not self.byte_fallback:
            return []
        ids = [self.ids.get(b"<0x%02X>" % byte) for byte in name.encode()]
        return [] if None in ids else ids  # type: ignore[return-value]

    def encode_word(self, word: str, position: int = 0) -> tuple[list[int], list[int]]:
        """Ids of a word, and how many bytes of it each covers."""
        if self.whole_words and word.encode() in self.ids:
            return [self.ids[word.encode()]], [len(word.encode())]
        symbols = self.symbols(word, position)
        ids, groups = merge_groups(
            [id for id, _ in symbols], self.ranks, self.dropout, self.rng, self.dropout_rule
        )
        widths, at = [], 0
        for size in groups:
            widths.append(sum(width for _, width in symbols[at : at + size]))
            at += size
        return ids, widths

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the words and their byte spans (n, 2)."""
        if active_backend() == "numba" and self.pieces is not None:
            from .character_words import encode_with_spans

            if (found := encode_with_spans(self, pieces)) is not None:
                return found
        return self.by_definition(pieces)

    def by_definition(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """The same, word by word."""
        return encoded_pieces(pieces, self.encode_word, None if self.dropout else self._known)

    # -- the kernel ---------------------------------------------------------------------------

    def encode(self, data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ids, ends) of the words (s, 2) of `data`: word k has ``ids[ends[k - 1] : ends[k]]``."""
        if active_backend() == "numba" and self.pieces is not None:
            from .character_words import encode_many

            return encode_many(self, data, segments)
        ids, spans = self.by_definition(Pieces(data, segments))
        return ids, np.searchsorted(spans[:, 0], segments[:, 1])

    def forget(self) -> None:
        """Empty the memories of words seen."""
        self._known.clear()
        self.memories.forget()

    @cached_property
    def pieces(self) -> Any:
        """The vocabulary, as the kernel wants it, or None if there is none for this model."""
        from .character_words import pieces_of_merges

        return pieces_of_merges(self)

    @cached_property
    def memories(self) -> Memories:
        """Of words seen, each with room for working on a word."""
        from .character_words import new_memory

        return Memories(new_memory)
