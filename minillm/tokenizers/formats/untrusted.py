"""Checks that every reader shares: files from outside are broken until proven whole."""

import gc
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ...backends import active_backend
from ..text.segments import joined_texts

MAX_BYTES = 1 << 28  # of a file
MAX_ID = 1 << 24
MAX_TOKEN = 1 << 16  # bytes of one token
LONE = re.compile("[\ud800-\udfff]")  # JSON's pairs of surrogates have become characters
REQUIRED: Any = object()


class BrokenFileError(ValueError):
    """A file is not what it should be; the message names the file and the place."""


def read_bytes(path: Path) -> bytes:
    """A file of reasonable size."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise BrokenFileError(f"{path}: {size} bytes; expected at most {MAX_BYTES}")
    return path.read_bytes()


def read_text(path: Path) -> str:
    """A UTF-8 file of reasonable size."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path}: byte {error.start} is not valid UTF-8") from None


@contextmanager
def collection_paused() -> Iterator[None]:
    """No search for garbage meanwhile: half a million lists that are all needed make it slow."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_json(path: Path, number: Callable[[str], float] = float) -> dict[str, Any]:
    """A JSON file that holds an object; `number` reads what has a point or an exponent."""
    return parse_json(path, read_text(path), number)


def parse_json(path: Path, text: str, number: Callable[[str], float]) -> dict[str, Any]:
    """The same of its text; `path` is what errors name."""
    try:
        with collection_paused():
            value = json.loads(text, object_pairs_hook=without_repeats, parse_float=number)
    except json.JSONDecodeError as error:
        raise BrokenFileError(
            f"{path}: line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})"
        ) from None
    except RecursionError:
        raise BrokenFileError(f"{path}: JSON nested too deeply") from None
    except RepeatedKeyError as error:
        raise BrokenFileError(f"{path}: the key {error} stands there twice") from None
    except ValueError as error:  # a number with more digits than Python reads
        raise BrokenFileError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(value, dict):
        raise BrokenFileError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def item(path: Path, place: dict[str, Any], key: str, kind: Any, default: Any = REQUIRED) -> Any:
    """``place[key]`` if it has the right type; null and absent give the default."""
    value = place.get(key)
    if value is None and default is not REQUIRED:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        expected = getattr(kind, "__name__", str(kind))
        raise BrokenFileError(f"{path}: {key!r} is {value!r:.60}; expected {expected}")
    return value


def unsupported(path: Path, what: str, value: Any) -> BrokenFileError:
    """The error for what a file asks for and nobody here can do."""
    return BrokenFileError(f"{path}: {what} {value!r:.80} is not supported")


def most_ids(tokens: int) -> int:
    """How large ids of a file with so many tokens may be: tables have a place for every id."""
    return min(MAX_ID, 16 * tokens + (1 << 18))


class RepeatedKeyError(Exception):
    """A JSON object has a key twice."""


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of a JSON object as a dict; a key may stand there once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(f"{max(keys, key=keys.count)!r:.60}")
    return found


def is_whole(text: str) -> bool:
    """Is there no lone surrogate in the text?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_mended(data: np.ndarray, texts: list[str]) -> bool:
    """Has a lone surrogate of these texts become U+FFFD in their UTF-8?"""
    return "\ufffd".encode() in data.tobytes() and not is_whole("".join(texts))


def check_vocabulary(path: Path, vocabulary: Any) -> dict[str, int]:
    """A map from tokens to different ids of reasonable size."""
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise BrokenFileError(f"{path}: the vocabulary must be a non-empty map of tokens to ids")
    ids, most = vocabulary.values(), most_ids(len(vocabulary))
    whole = set(map(type, ids)) == {int} and len(set(ids)) == len(ids)
    if whole and min(ids) >= 0 and max(ids) < most and is_whole("".join(vocabulary)):
        return vocabulary
    owner: dict[int, str] = {}
    for token, id in vocabulary.items():
        if type(id) is not int or not 0 <= id < most:
            raise BrokenFileError(f"{path}: id of {token!r:.60} is {id!r:.40}, not 0 to {most}")
        if id in owner:
            raise BrokenFileError(f"{path}: {token!r:.60} and {owner[id]!r:.60} share the id {id}")
        if LONE.search(token):
            raise BrokenFileError(f"{path}: token {token!r:.60} holds a lone surrogate")
        owner[id] = token
    return vocabulary


def check_special(path: Path, special_tokens: Mapping[str, int] | None) -> dict[str, int]:
    """Special tokens that a caller gives, checked like a vocabulary."""
    special = dict(special_tokens or {})
    if special:
        check_vocabulary(Path("special_tokens"), special)
    return special


def by_id(vocabulary: dict[bytes, int]) -> list[bytes | None]:
    """List of tokens, None where an id is not used."""
    tokens: list[bytes | None] = [None] * (max(vocabulary.values()) + 1)
    for token, id in vocabulary.items():
        tokens[id] = token
    return tokens


def merge_ids(
    path: Path, merges: list[Any], vocabulary: dict[str, int], prefix: str = ""
) -> np.ndarray:
    """(n, 3) int32 (left, right, merged) of merges, each two tokens; all must be known."""
    edges = None if prefix or "" in vocabulary else merge_edges(merges)
    found = None if edges is None else found_at_once(*edges, vocabulary)
    return checked_merges(path, merges, vocabulary, prefix) if found is None else found


def merge_edges(merges: list[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """UTF-8 of all merges without what separates their tokens, and where in it each merge begins,
    its second token begins, and it ends (n, 3); None unless all are two tokens."""
    kinds = set(map(type, merges))
    if kinds == {str}:
        data, spans = joined_texts(merges)
        spaces = np.flatnonzero(data == ord(" "))
        inside = len(spaces) == len(spans) and (spaces > spans[:, 0]) & (spaces < spans[:, 1] - 1)
        if not np.all(inside) or is_mended(data, merges):
            return None
        before = np.arange(len(spaces))
        edges = np.stack([spans[:, 0], spaces, spans[:, 1] - 1], 1) - before[:, None]
        return data[data != ord(" ")], edges
    if not merges or not kinds <= {list, tuple} or set(map(len, merges)) != {2}:
        return None
    names = list(chain.from_iterable(merges))
    if set(map(type, names)) != {str} or "" in names:
        return None
    data, spans = joined_texts(names)
    if is_mended(data, names):
        return None
    return data, np.stack([spans[0::2, 0], spans[1::2, 0], spans[1::2, 1]], 1)


def found_at_once(
    data: np.ndarray, edges: np.ndarray, vocabulary: dict[str, int]
) -> np.ndarray | None:
    """Ids (n, 3) of the tokens of merges and of what they make; None if some are not known."""
    if active_backend() != "numba":
        return None
    from ..text.index_kernel import entries_in, find_merges

    names, spans = joined_texts(list(vocabulary))
    found = np.empty(edges.shape, np.int64)
    find_merges(data, edges, entries_in(names, np.append(spans[:, 0], len(names))), found)
    ids = np.fromiter(vocabulary.values(), np.int32, len(vocabulary))
    return None if (found < 0).any() else ids[found]


def checked_merges(
    path: Path, merges: list[Any], vocabulary: dict[str, int], prefix: str
) -> np.ndarray:
    """The same, one merge after the other, with an error that names the first that is wrong."""
    rows = []
    for k, merge in enumerate(merges):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(isinstance(part, str) and part for part in pair)
        ):
            raise BrokenFileError(f"{path}: merge {k} is {merge!r:.60}; expected two tokens")
        joined = pair[0] + pair[1].removeprefix(prefix)
        for token in (*pair, joined):
            if token not in vocabulary:
                raise BrokenFileError(
                    f"{path}: merge {k} {pair!r:.80} needs {token!r:.60}, which is not in the "
                    "vocabulary"
                )
        rows.append([vocabulary[token] for token in (*pair, joined)])
    return np.array(rows, np.int32).reshape(-1, 3)
