"""Token ids of a corpus in one flat array, in memory or mapped from a file.

File format: 64 bytes of header, then the ids. All numbers are little-endian.

    bytes  0–7   b"minillm1"
    bytes  8–11  bytes per id: 2 (uint16) or 4 (uint32)
    bytes 12–15  vocabulary size V; every id is below it
    bytes 16–23  end token (int64), -1 if there is none
    bytes 24–31  number of ids (uint64)
    bytes 32–63  zero
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
from tqdm import tqdm

from minillm.files import written_atomically

MAGIC = b"minillm1"
HEADER = struct.Struct("<8sIIqQ32x")
DTYPES: dict[int, np.dtype[Any]] = {2: np.dtype("<u2"), 4: np.dtype("<u4")}
CHUNK_CHARACTERS = 1 << 20  # texts encoded at once
CHUNK_IDS = 1 << 24  # ids checked at once


class TokenDataset:
    """A flat array of token ids with its vocabulary size and end token.

    ids: (n,) unsigned integers, read-only. end_token: the id that ends each document, or None.
    Make one with ``build``, ``open`` or ``from_ids``.
    """

    def __init__(self, ids: np.ndarray, vocab_size: int, end_token: int | None,
                 file: tuple[str, int] | None = None) -> None:
        self.ids, self.vocab_size, self.end_token = ids, vocab_size, end_token
        self.file = file  # the ids are mapped from this path, from this byte on

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        """Another process maps the file again; only ids in memory are copied to it."""
        state = {name: value for name, value in self.__dict__.items() if name != "document_bounds"}
        if self.file is not None:
            state["ids"] = self.ids.dtype.str, len(self.ids)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        if self.file is not None:
            dtype, count = state["ids"]
            path, start = self.file
            self.ids = np.memmap(path, dtype, "r", start, (count,))

    @classmethod
    def from_ids(
        cls, ids: Any, vocab_size: int | None = None, end_token: int | None = None
    ) -> TokenDataset:
        """A dataset in memory. ``vocab_size`` None: one more than the largest id."""
        try:
            array = np.array(ids)
        except ValueError as problem:
            raise ValueError("ids has rows of different lengths; expected (n,) integers: join the "
                             "documents to one list") from problem
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(
                f"ids has shape {array.shape} and dtype {array.dtype}; expected (n,) integers"
            )
        top = int(array.max()) if array.size else -1
        if vocab_size is None:
            if end_token is not None:
                check_end_token(end_token, 1 << 32)
            vocab_size = max(top, -1 if end_token is None else end_token) + 1
        check_positive("vocab_size", vocab_size)
        if array.size and (array.min() < 0 or top >= vocab_size):
            raise ValueError(
                f"ids run from {array.min()} to {top}; expected 0 to vocab_size - 1 = "
                f"{vocab_size - 1}"
            )
        check_end_token(end_token, vocab_size)
        array = array.astype(id_dtype(vocab_size))
        array.flags.writeable = False
        return cls(array, vocab_size, end_token)

    @classmethod
    def build(
        cls,
        path: str | os.PathLike[str],
        texts: Iterable[str],
        tokenizer: Any,
        end_token: int | str | None = "<|endoftext|>",
        progress: bool = True,
    ) -> TokenDataset:
        """Tokenize ``texts`` (one document each) into the file ``path``, and open it.

        The texts are read once, about a million characters at a time. ``tokenizer`` has
        ``encode_batch(texts) -> (ids, offsets)`` (document i is ids[offsets[i]:offsets[i + 1]]),
        ``vocab_size`` and, if ``end_token`` is given as text, ``token_to_id``. Texts are encoded
        whole: a tokenizer's own truncation and padding are not applied. The file appears
        under its name only when it is complete; an older one survives a failure.
        """
        if isinstance(texts, str):
            raise TypeError(f"texts={texts!r:.60} is one text, of which each character would be a "
                            "document; put it into a list")
        if getattr(tokenizer, "truncation", None) or getattr(tokenizer, "padding", None):
            tokenizer = replace(tokenizer, truncation=None, padding=None)
        if isinstance(end_token, str):
            found = tokenizer.token_to_id(end_token)
            if found is None:
                raise ValueError(
                    f"end_token={end_token!r} is not in the vocabulary; train the tokenizer with "
                    f"special_tokens=[{end_token!r}], or pass end_token=None"
                )
            end_token = int(found)
        vocab_size = int(tokenizer.vocab_size)
        check_end_token(end_token, vocab_size)
        dtype = id_dtype(vocab_size)
        count = 0
        with written_atomically(path) as file:
            file.write(bytes(HEADER.size))
            for batch in chunks(tqdm(texts, "tokenize", unit="document", disable=not progress)):
                ids, offsets = tokenizer.encode_batch(batch)
                if end_token is not None:
                    ids = np.insert(ids, np.asarray(offsets)[1:], end_token)
                check_range(ids, vocab_size, "the tokenizer's ids")
                file.write(np.ascontiguousarray(ids, dtype=dtype).tobytes())
                count += len(ids)
            file.seek(0)
            end = -1 if end_token is None else end_token
            file.write(HEADER.pack(MAGIC, dtype.itemsize, vocab_size, end, count))
        return cls.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> TokenDataset:
        """Map a file made by ``build``. Its header, size and every id are checked first."""
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            head = file.read(HEADER.size)
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            raise ValueError(f"path={str(path)!r} is not a token file: it does not begin as one")
        _, width, vocab_size, end, count = HEADER.unpack(head)
        if width not in DTYPES or vocab_size < 1 or not -1 <= end < vocab_size:
            raise ValueError(
                f"path={str(path)!r} has a broken header: {width} bytes per id, vocabulary "
                f"{vocab_size}, end token {end}; build it again"
            )
        if size != HEADER.size + count * width:
            raise ValueError(
                f"path={str(path)!r} is {size} bytes long, expected {HEADER.size + count * width} "
                f"for {count} ids; it was cut off or changed, build it again"
            )
        ids: np.ndarray = np.empty(0, DTYPES[width])
        if count:
            ids = np.memmap(path, DTYPES[width], "r", HEADER.size, (count,))
        check_range(ids, vocab_size, f"path={str(path)!r}")
        place = (os.path.abspath(path), HEADER.size) if count else None
        return cls(ids, vocab_size, None if end < 0 else end, place)

    @cached_property
    def document_bounds(self) -> np.ndarray:
        """(documents + 1,) where documents begin; document i is ids[b[i]:b[i + 1]].

        A document ends with its end token; a last one without it counts too.
        """
        if self.end_token is None:
            raise ValueError("end_token is None, so documents cannot be told apart; give one")
        ends = [
            np.flatnonzero(self.ids[at : at + CHUNK_IDS] == self.end_token) + at + 1
            for at in range(0, len(self.ids), CHUNK_IDS)
        ]
        bounds = np.concatenate([np.zeros(1, np.int64), *ends])
        return bounds if bounds[-1] == len(self.ids) else np.append(bounds, len(self.ids))

    def split(self, validation: float) -> tuple[TokenDataset, TokenDataset]:
        """Training and validation part, cut between two documents; no document is in both.

        ``validation`` is the share of documents, taken from the end of the file; shuffle the
        texts before building if their order matters. Both parts are views, nothing is copied.
        """
        if isinstance(validation, bool) or not isinstance(validation, Real):
            raise ValueError(f"validation={validation!r}: expected a share between 0 and 1")
        documents = len(self.document_bounds) - 1
        kept = documents - round(validation * documents)
        if not 0 < validation < 1 or not 0 < kept < documents:
            raise ValueError(
                f"validation={validation} of {documents} documents leaves one part empty; use a "
                "share between 0 and 1 that gives each part a document"
            )
        cut = int(self.document_bounds[kept])
        return self._part(0, cut), self._part(cut, len(self))

    def _part(self, start: int, end: int) -> TokenDataset:
        """A view of some of the ids."""
        place = self.file and (self.file[0], self.file[1] + start * self.ids.itemsize)
        return TokenDataset(self.ids[start:end], self.vocab_size, self.end_token, place)

    def window_count(self, context: int, stride: int = 1) -> int:
        """Number of windows with all targets: n - context at stride 1."""
        check_positive("context", context)
        check_positive("stride", stride)
        return max(0, (len(self) - context - 1) // stride + 1)

    def window(self, i: int, context: int, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Input and target of window i, (context,) int64 each; the target is one token ahead."""
        count = self.window_count(context, stride)
        if not 0 <= i < count:
            raise IndexError(f"i={i} is not a window; there are {count}, from 0")
        block = self.ids[i * stride : i * stride + context + 1].astype(np.int64)
        return block[:-1], block[1:]


def check_positive(name: str, value: int) -> None:
    """Raise unless ``value`` is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}={value!r} is not a positive integer; use 1 or more")


def check_end_token(end_token: int | None, vocab_size: int) -> None:
    """Raise unless ``end_token`` is None or an id."""
    if end_token is None:
        return
    if isinstance(end_token, bool) or not isinstance(end_token, int | np.integer) \
            or not 0 <= end_token < vocab_size:
        raise ValueError(f"end_token={end_token!r} is not an id below vocab_size={vocab_size}")


def check_range(ids: np.ndarray, vocab_size: int, what: str) -> None:
    """Raise if an id is negative or not below ``vocab_size``."""
    for at in range(0, len(ids), CHUNK_IDS):
        part = ids[at : at + CHUNK_IDS]
        if part.max() >= vocab_size or part.min() < 0:
            bad = at + int(np.flatnonzero((part >= vocab_size) | (part < 0))[0])
            raise ValueError(
                f"{what}: id {ids[bad]} at position {bad} is outside 0 to {vocab_size - 1}"
            )


def id_dtype(vocab_size: int) -> np.dtype:
    """The narrower of uint16 and uint32 that holds every id."""
    check_positive("vocab_size", vocab_size)
    if vocab_size > 1 << 32:
        raise ValueError(f"vocab_size={vocab_size} must be between 1 and 2**32")
    return DTYPES[2] if vocab_size <= 1 << 16 else DTYPES[4]


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Lists of texts of about ``CHUNK_CHARACTERS`` characters in all."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= CHUNK_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
