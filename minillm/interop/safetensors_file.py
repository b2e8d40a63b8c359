"""The safetensors format: a header in JSON that names arrays, then their numbers.

The file begins with the length of the header, 8 bytes, little-endian. The header gives each array
its type, its shape and where its bytes begin and end in the rest, which they fill without a gap.
Nothing in it is code. Specification: https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..tokenizers.formats.untrusted import BrokenFileError, RepeatedKeyError, without_repeats

MOST = 10_000_000  # bytes of the header
SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2,
         "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8}
READ: dict[str, np.dtype] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}


class Entry(NamedTuple):
    """What the header says of an array; ``start`` counts from the beginning of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    bytes: int


class SafeTensorsFile:
    """The arrays of a file by name, in ``entries``; ``read`` takes memory for one.

    All that the header claims is checked first. Raises FileNotFoundError, or ValueError naming the
    file and what is wrong with it.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        with open(self.path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, MOST):
                raise BrokenFileError(f"{self.path}: {size} bytes, and its header claims {length}; "
                                      f"expected at most {min(max(size - 8, 0), MOST)}")
            header = self._json(file.read(length))
        self.entries = {name: self._entry(name, entry, 8 + length)
                        for name, entry in header.items() if name != "__metadata__"}
        at = 8 + length
        for name, entry in sorted(self.entries.items(), key=lambda item: item[1][2:]):
            if entry.start != at:
                raise BrokenFileError(f"{self.path}: {name!r:.80} begins at byte {entry.start}; "
                                      f"expected {at}, where the array before it ends")
            at += entry.bytes
        if at != size:
            raise BrokenFileError(f"{self.path}: its arrays end at byte {at}, the file at {size}")

    def _json(self, text: bytes) -> dict[str, Any]:
        try:
            header = json.loads(text.decode(), object_pairs_hook=without_repeats)
        except (ValueError, RecursionError) as problem:  # no JSON, or no UTF-8
            raise BrokenFileError(f"{self.path}: its header is not valid JSON ({problem})"
                                  ) from None
        except RepeatedKeyError as problem:
            raise BrokenFileError(f"{self.path}: the key {problem} stands there twice") from None
        if not isinstance(header, dict):
            raise BrokenFileError(f"{self.path}: its header is {header!r:.40}; expected an object")
        return header

    def _entry(self, name: str, entry: Any, start: int) -> Entry:
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise BrokenFileError(f"{self.path}: {name!r:.80} is {entry!r:.60}; expected dtype, "
                                  "shape and data_offsets")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in SIZES:
            raise BrokenFileError(f"{self.path}: {name!r:.80} has dtype {dtype!r:.40}; expected "
                                  f"one of {', '.join(SIZES)}")
        for what, numbers in (("shape", shape), ("data_offsets", offsets)):
            if not isinstance(numbers, list) or len(numbers) > 64 \
                    or not all(type(n) is int and n >= 0 for n in numbers):
                raise BrokenFileError(f"{self.path}: {name!r:.80} has {what} {numbers!r:.60}; "
                                      "expected whole numbers of at least 0")
        needed = math.prod(shape) * SIZES[dtype]
        if len(offsets) != 2 or offsets[1] - offsets[0] != needed:
            raise BrokenFileError(f"{self.path}: {name!r:.80} has data_offsets {offsets!r:.60}; "
                                  f"its shape {shape!r:.60} and {dtype} need {needed} bytes")
        return Entry(dtype, tuple(shape), start + offsets[0], needed)

    def check(self, name: str, shape: tuple[int, ...]) -> Entry:
        """What the header says of an array that is there, has this shape and can be read."""
        if name not in self.entries:
            raise BrokenFileError(f"{self.path} holds no {name!r}; it holds "
                                  f"{', '.join(sorted(self.entries)[:3])} …")
        entry = self.entries[name]
        if entry.dtype not in READ:
            raise BrokenFileError(f"{self.path}: {name!r} has dtype {entry.dtype}; expected one of "
                                  f"{', '.join(READ)}")
        if entry.shape != shape:
            raise BrokenFileError(f"{self.path}: {name!r} has shape {entry.shape}; these sizes of "
                                  f"model need {shape}")
        return entry

    def read(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """An array of this shape, in float32. Raises ValueError also for NaN or infinity."""
        entry = self.check(name, shape)
        with open(self.path, "rb") as file:
            file.seek(entry.start)
            content = file.read(entry.bytes)
        if len(content) != entry.bytes:
            raise BrokenFileError(f"{self.path} became shorter while it was read")
        array = np.frombuffer(content, READ[entry.dtype]).astype(np.float32).reshape(shape)
        if not np.isfinite(array).all():
            raise BrokenFileError(f"{self.path}: {name!r} holds NaN or infinity")
        return array
