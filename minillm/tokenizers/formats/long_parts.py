"""A tokenizer.json whose long parts, the vocabulary and the merges, are read by kernels.

They are cut out of the file, and Python reads the rest. Whatever is unusual about any of it is left
to the plain way, which comes to the same for every file, and says what is wrong with one.
"""

import re
import secrets
from pathlib import Path
from typing import Any

import numpy as np

from ...backends import active_backend
from .file_tokens import FileTokens
from .json_numbers import read_number
from .untrusted import BrokenFileError, most_ids, parse_json, read_bytes

# What a long part begins with. No string holds this, as a quote inside one has a backslash before
# it; so the bracket begins a value, or the file is no JSON.
VOCABULARY, MERGES = re.compile(rb'"vocab"\s*:\s*\{'), re.compile(rb'"merges"\s*:\s*\[')


def read_by_parts(path: Path) -> dict[str, Any] | None:
    """The object of the file, with ``FileTokens`` as its vocabulary and ids (n, 3) as its merges.

    None for what is to be read the plain way.
    """
    if active_backend() != "numba":
        return None
    data = read_bytes(path)
    text = np.frombuffer(data, np.uint8)
    marks = [secrets.token_hex() for _ in range(2)]  # what no file can hold already
    start = place_of(VOCABULARY, data, 0)
    tokens, end = (None, 0) if start is None else read_tokens(text, start)
    if start is None or tokens is None:
        return None
    rest, merges = data[: start - 1] + b'"%s"' % marks[0].encode(), None
    start = place_of(MERGES, data, end)
    if start is not None:
        rest += data[end : start - 1] + b'"%s"' % marks[1].encode()
        merges, end = read_merge_ids(text, start, tokens)
        if merges is None:
            return None
    try:
        value = parse_json(path, (rest + data[end:]).decode(), read_number)
    except (BrokenFileError, UnicodeDecodeError):
        return None
    model = value.get("model")
    if not isinstance(model, dict) or model.get("vocab") != marks[0]:
        return None
    if merges is not None and model.get("merges") != marks[1]:
        return None
    if model.get("type", "BPE") == "BPE" and (
        merges is None or model.get("continuing_subword_prefix")
    ):
        return None
    model.update(vocab=tokens, merges=merges)
    return value


def place_of(part: re.Pattern[bytes], data: bytes, start: int) -> int | None:
    """The place behind the bracket of a part, None if it is not there."""
    match = part.search(data, start)
    return None if match is None else match.end()


def read_tokens(text: np.ndarray, start: int) -> tuple[FileTokens | None, int]:
    """The tokens of a vocabulary and where it ends; None if they are not plain, or not right."""
    from .json_kernel import read_vocabulary

    most = (len(text) - start) // len('"":0,') + 2
    names = np.empty(len(text) - start + 8, np.uint8)
    starts, ids = np.empty(most + 1, np.int64), np.empty(most, np.int32)
    count, end = read_vocabulary(text, start, names, starts, ids)
    starts, ids = starts[: count + 1], ids[:count]
    names = names[: starts[-1]]
    if count == 0 or ids.max() >= most_ids(count):
        return None, end
    used = np.zeros(ids.max() + 1, bool)
    used[ids] = True
    tokens = FileTokens(names, starts, ids)
    # An empty token is no entry, and of equal ones only one is.
    different = np.count_nonzero(used) == np.count_nonzero(tokens.entries.slots) == count
    return tokens if different and are_utf8(names, starts[:-1]) else None, end


def are_utf8(names: np.ndarray, starts: np.ndarray) -> bool:
    """Is each string UTF-8? All together they may be where one ends inside of a character."""
    try:
        names.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return bool(((names[starts] & 0xC0) != 0x80).all())


def read_merge_ids(
    text: np.ndarray, start: int, tokens: FileTokens
) -> tuple[np.ndarray | None, int]:
    """Ids of the merges (n, 3) and where they end; None if they are not plain, or not known."""
    from ..text.index_kernel import find_merges
    from .json_kernel import read_merges

    names = np.empty(len(text) - start + 8, np.uint8)
    edges = np.empty(((len(text) - start) // len('"a b",') + 2, 3), np.int64)
    count, end = read_merges(text, start, names, edges)
    found = np.empty((count, 3), np.int64)
    find_merges(names, edges[:count], tokens.entries, found)
    return None if count == 0 or (found < 0).any() else tokens.ids[found], end
