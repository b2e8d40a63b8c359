"""Reading .tiktoken files, and vocab.json with merges.txt. The files are not trusted."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .byte_alphabet import characters_to_bytes
from .byte_bpe import ByteBPE
from .stages import Join, Split

MAX_BYTES = 1 << 28  # of a file
MAX_ID = 1 << 24
MAX_TOKEN = 1 << 16  # bytes of one token


class BrokenFileError(ValueError):
    """A file is not what it should be; the message names the file and the place."""


def read_text(path: Path) -> str:
    """A UTF-8 file of reasonable size."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise BrokenFileError(f"{path}: {size} bytes; expected at most {MAX_BYTES}")
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path}: byte {error.start} is not valid UTF-8") from None


def read_json(path: Path, number: Callable[[str], float] = float) -> dict[str, Any]:
    """A JSON file that holds an object; `number` reads what has a point or an exponent."""
    try:
        value = json.loads(
            read_text(path), object_pairs_hook=without_repeats, parse_float=number
        )
    except json.JSONDecodeError as error:
        raise BrokenFileError(
            f"{path}: line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})"
        ) from None
    except RecursionError:
        raise BrokenFileError(f"{path}: JSON nested too deeply") from None
    except RepeatedKeyError as error:
        raise BrokenFileError(f"{path}: the key {error} stands there twice") from None
    except ValueError as error:  # a number with more digits than Python reads
        raise BrokenFileError(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise BrokenFileError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def most_ids(tokens: int) -> int:
    """How large ids of a file with so many tokens may be: tables have a place for every id."""
    return min(MAX_ID, 16 * tokens + (1 << 18))


class RepeatedKeyError(Exception):
    """A JSON object has a key twice."""


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(f"{max(keys, key=keys.count)!r:.60}")
    return found


def check_vocabulary(path: Path, vocabulary: Any) -> dict[str, int]:
    """A map from tokens to different ids of reasonable size."""
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise BrokenFileError(f"{path}: the vocabulary must be a non-empty map of tokens to ids")
    owner: dict[int, str] = {}
    most = most_ids(len(vocabulary))
    for token, id in vocabulary.items():
        if type(id) is not int or not 0 <= id < most:
            raise BrokenFileError(f"{path}: id of {token!r:.60} is {id!r:.40}, not 0 to {most}")
        if id in owner:
            raise BrokenFileError(f"{path}: {token!r:.60} and {owner[id]!r:.60} share the id {id}")
        if any(0xD800 <= ord(character) < 0xE000 for character in token):
            raise BrokenFileError(f"{path}: token {token!r:.60} holds a lone surrogate")
        owner[id] = token
    return vocabulary


def check_special(path: Path, special_tokens: Mapping[str, int] | None) -> dict[str, int]:
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


def read_vocab_and_merges(
    path: Path, merges: Path, pattern: str, special_tokens: Mapping[str, int] | None
) -> dict[str, Any]:
    """Stages of GPT-2's pair of files: vocab.json and merges.txt, in the byte alphabet.

    Entries in <angle> or [square] brackets that no merge makes are special tokens, as GPT-2's
    ``<|endoftext|>`` is.
    """
    vocabulary = check_vocabulary(path, read_json(path))
    lines = [
        line
        for line in read_text(merges).replace("\r\n", "\n").split("\n")
        if line and not line.startswith("#version")
    ]
    table = merge_ids(merges, list(lines), vocabulary)
    made = set(table[:, 2].tolist())
    special = check_special(path, special_tokens)
    ordinary: dict[bytes, int] = {}
    for token, id in vocabulary.items():
        data = characters_to_bytes(token)
        if id in made or len(data) == 1 or not re.fullmatch(r"<.+>|\[.+\]", token):
            if data in ordinary:
                raise BrokenFileError(f"{path}: two tokens stand for the bytes {data!r:.60}")
            ordinary[data] = id
        else:
            special.setdefault(token, id)
    if not any(len(data) == 1 for data in ordinary):
        raise BrokenFileError(f"{path}: no token is a single byte")
    model = ByteBPE(by_id(ordinary), table)
    return {
        "model": model, "pre_tokenizer": Split(pattern, "refuse"), "decoder": Join(),
        "special_tokens": special,
    }


def read_tiktoken(
    path: Path, pattern: str, special_tokens: Mapping[str, int] | None
) -> dict[str, Any]:
    """Stages of a .tiktoken file: lines ``base64(token) rank``."""
    ranks: dict[bytes, int] = {}
    lines = read_text(path).splitlines()
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        where = f"{path}: line {number}"
        try:
            encoded, rank_text = line.split()
            token, rank = base64.b64decode(encoded, validate=True), int(rank_text)
        except (ValueError, binascii.Error):
            raise BrokenFileError(f"{where} is {line!r:.60}; expected base64 and a rank") from None
        if not token or len(token) > MAX_TOKEN or not 0 <= rank < most_ids(len(lines)):
            raise BrokenFileError(f"{where}: token of {len(token)} bytes with rank {rank}")
        if token in ranks:
            raise BrokenFileError(f"{where}: the token {token!r:.60} was there before")
        ranks[token] = rank
    return stages_of_ranks(ranks, str(path), pattern, special_tokens)


def stages_of_ranks(
    ranks: dict[bytes, int], where: str, pattern: str, special_tokens: Mapping[str, int] | None
) -> dict[str, Any]:
    """Stages of tiktoken's kind of tokenizer. where: what an error names."""
    most = most_ids(len(ranks))
    for token, rank in ranks.items():
        if type(token) is not bytes or not token or type(rank) is not int or not 0 <= rank < most:
            raise BrokenFileError(f"{where}: {token!r:.60} has the rank {rank!r:.40}; expected "
                                  f"bytes and a number below {most}")
    if len(set(ranks.values())) < len(ranks):
        raise BrokenFileError(f"{where}: two tokens share a rank")
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing:
        raise BrokenFileError(f"{where}: no token for byte 0x{missing[0]:02x}; the file is cut off")
    model = byte_bpe_of_ranks(ranks)
    special = check_special(Path(where), special_tokens)
    return {
        "model": model, "pre_tokenizer": Split(pattern, "refuse"), "decoder": Join(),
        "special_tokens": special,
    }


def byte_bpe_of_ranks(ranks: dict[bytes, int]) -> ByteBPE:
    """The model of tiktoken: any two tokens whose bytes together are a token may be joined.

    The file has no list of merges, so each way to cut a token into two known ones becomes one.
    """
    rows = [
        (ranks[token[:k]], ranks[token[k:]], rank)
        for token, rank in sorted(ranks.items(), key=lambda item: item[1])
        for k in range(1, len(token))
        if token[:k] in ranks and token[k:] in ranks
    ]
    table = np.array(rows, np.int32).reshape(-1, 3)
    return ByteBPE(by_id(ranks), table, whole_pieces=True, ranks=table[:, 2].astype(np.int64))
