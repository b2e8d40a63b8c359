"""The vocabulary of a tokenizer.json, in arrays: half a million strings would take their time."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ...backends import active_backend
from ..text.byte_alphabet import all_to_bytes, bytes_to_characters
from ..text.segments import joined_bytes, joined_texts


@dataclass(eq=False)
class FileTokens:
    """Different tokens, numbered in the order of the file, and their ids.

    Token k is data[starts[k] : starts[k + 1]], UTF-8, and has the id ids[k], int32.
    """

    data: np.ndarray
    starts: np.ndarray
    ids: np.ndarray

    @classmethod
    def of(cls, vocabulary: dict[str, int]) -> "FileTokens":
        """Those of a map that is checked."""
        data, spans = joined_texts(list(vocabulary))
        ids = np.fromiter(vocabulary.values(), np.int32, len(vocabulary))
        return cls(data, np.append(spans[:, 0], len(data)), ids)

    @cached_property
    def entries(self) -> Any:
        """The tokens, as a kernel finds them; an empty one is none."""
        from ..text.index_kernel import entries_in

        return entries_in(self.data, self.starts)

    @cached_property
    def numbers(self) -> dict[bytes, int]:
        """The number of each token."""
        return {token: k for k, token in enumerate(self.as_utf8())}

    def find(self, names: list[str]) -> np.ndarray:
        """The number of each name, -1 for one that is no token."""
        parts = [name.encode("utf-8", "surrogatepass") for name in names]
        if active_backend() != "numba" or (self.starts[1:] == self.starts[:-1]).any():
            return np.array([self.numbers.get(part, -1) for part in parts], np.int64)
        from ..text.index_kernel import find_entries

        data, spans = joined_bytes(parts)
        found = np.empty(len(parts), np.int64)
        find_entries(data, spans, self.entries, found)
        return found

    def ids_of(self, names: list[str]) -> list[int | None]:
        """The id of each name, None for one that is no token."""
        found = self.find(names)
        return [id if k >= 0 else None for k, id in zip(found, self.ids[found].tolist())]

    def as_utf8(self) -> list[bytes]:
        """The tokens."""
        raw = self.data.tobytes()
        return [raw[start:end] for start, end in pairwise(self.starts.tolist())]

    def as_bytes(self, kept: np.ndarray) -> list[bytes] | None:
        """The bytes of tokens that are spelled in the byte alphabet, each its own.

        None if two of those that are `kept` are the same: é is the byte E9, but é€ is its UTF-8,
        as € is not in the alphabet.
        """
        tokens, outside = all_to_bytes(self.data, self.starts)
        same = self.find([bytes_to_characters(tokens[k]) for k in outside])
        return None if (kept[outside] & kept[same] & (same >= 0)).any() else tokens

    def by_id(self, tokens: list[bytes], kept: np.ndarray) -> list[bytes | None]:
        """What those that are `kept` stand for, by id; None where an id is not used."""
        table: list[bytes | None] = [*tokens]
        if not np.array_equal(self.ids, np.arange(len(tokens))):
            table = [None] * (int(self.ids.max()) + 1)
            for id, token in zip(self.ids.tolist(), tokens):
                table[id] = token
        for id in self.ids[~kept].tolist():
            table[id] = None
        while table and table[-1] is None:
            table.pop()
        return table
