"""BytePiece's files: JSON, base64 of each piece -> [id, its text, its count]. Not trusted.

An entry with count 0 is a special token: bytepiece reads it too, and never finds it in text.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...files import written_atomically
from ..bytepiece.best_cut import BytePiece
from ..bytepiece.training import bytepiece_stages
from ..stages import Stages
from .untrusted import MAX_TOKEN, BrokenFileError, check_special, read_json

FIRST = re.compile(rb'\s*\{\s*"[A-Za-z0-9+/=]*"\s*:\s*\[')
MAX_COUNT = 1 << 53  # all counts together, so that float64 adds them exactly


def is_bytepiece(path: Path) -> bool:
    """Does the file begin like one of BytePiece?"""
    with open(path, "rb") as file:
        return FIRST.match(file.read(1 << 17)) is not None


def check_entry(path: Path, key: str, value: Any, size: int) -> tuple[bytes, int, int]:
    """(piece, id, count) of one of `size` entries."""
    where = f"{path}: entry {key!r:.60}"
    try:
        piece = base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error):
        raise BrokenFileError(f"{where} is not base64") from None
    if not 0 < len(piece) <= MAX_TOKEN:
        raise BrokenFileError(f"{where} stands for {len(piece)} bytes; expected 1 to {MAX_TOKEN}")
    if not isinstance(value, list) or len(value) != 3:
        raise BrokenFileError(f"{where} is {value!r:.60}; expected [id, text, count]")
    id, text, count = value
    if type(id) is not int or not 3 <= id < size + 3:
        raise BrokenFileError(f"{where} has the id {id!r:.40}; expected 3 to {size + 2}")
    if not isinstance(text, str):
        raise BrokenFileError(f"{where} has the text {text!r:.40}; expected a string")
    if type(count) is not int or not 0 <= count < MAX_COUNT:
        raise BrokenFileError(f"{where} has the count {count!r:.40}; expected 0 to 2^53")
    return piece, id, count


def read_bytepiece(path: Path, special_tokens: Mapping[str, int] | None = None) -> Stages:
    """Stages of a BytePiece file."""
    found = read_json(path)
    vocabulary: list[bytes | None] = [b""] * 3 + [None] * len(found)
    counts = [0] * len(vocabulary)
    special, seen = check_special(path, special_tokens), set()
    for key, value in found.items():
        piece, id, count = check_entry(path, key, value, len(found))
        if piece in seen or vocabulary[id] is not None or id in special.values():
            raise BrokenFileError(f"{path}: entry {key!r:.60} or its id {id} was there before")
        seen.add(piece)
        vocabulary[id], counts[id] = piece, count
        if count == 0:
            vocabulary[id] = None
            special[special_text(path, piece)] = id
    if not 0 < sum(counts) < MAX_COUNT:
        raise BrokenFileError(f"{path}: all counts together are {sum(counts)}; expected 1 to 2^53")
    return bytepiece_stages(BytePiece(vocabulary, counts), special)


def special_text(path: Path, piece: bytes) -> str:
    """A special token as text; it must be UTF-8."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        raise BrokenFileError(
            f"{path}: {piece!r:.60} has count 0, so it is a special token, but it is not UTF-8"
        ) from None


def write_bytepiece(tok: Stages, path: Path) -> None:
    """Write a file that bytepiece opens too."""
    rows = {id: (token, tok.model.counts[id]) for token, id in tok.model.ids.items()}
    rows |= {id: (token.encode(), 0) for token, id in tok.special_tokens.items()}
    if sorted(rows) != list(range(3, len(rows) + 3)):
        raise ValueError(
            "a BytePiece file holds the ids 3, 4, ... without gaps; train with special_tokens= "
            "rather than giving special tokens other ids"
        )
    table = {
        base64.b64encode(token).decode(): [id, token.decode(errors="ignore"), count]
        for id, (token, count) in sorted(rows.items())
    }
    with written_atomically(path) as file:
        file.write(json.dumps(table, indent=4, ensure_ascii=False).encode())
