"""Reading .tiktoken files, vocab.json with merges.txt, and minbpe's. The files are not trusted."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..bpe.byte_bpe import ByteBPE
from ..pre_tokenizers.split_rules import Split
from ..stages import Stages
from ..text.byte_alphabet import characters_to_bytes
from .untrusted import (
    MAX_BYTES,
    MAX_TOKEN,
    BrokenFileError,
    by_id,
    check_special,
    check_vocabulary,
    merge_ids,
    most_ids,
    read_json,
    read_text,
)


def read_vocab_and_merges(
    path: Path, merges: Path, pattern: str, special_tokens: Mapping[str, int] | None
) -> Stages:
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
    return Stages(model, pre_tokenizer=Split(pattern, "refuse"), special_tokens=special)


def read_tiktoken(
    path: Path, pattern: str, special_tokens: Mapping[str, int] | None
) -> Stages:
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
) -> Stages:
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
    return Stages(model, pre_tokenizer=Split(pattern, "refuse"), special_tokens=special)


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


FIRST_LINE = "minbpe v1"


def is_minbpe(path: Path) -> bool:
    """Does the file begin as minbpe's do?"""
    with open(path, "rb") as file:
        start = file.readline(len(FIRST_LINE) + 2)
    return start.rstrip(b"\r\n") == FIRST_LINE.encode()


def read_minbpe(path: Path, special_tokens: Mapping[str, int] | None) -> Stages:
    """The stages of the tokenizer in the file.

    Ids 0 to 255 are the bytes, and each line of two ids makes the next one of them. A file without
    a pattern is that of a BasicTokenizer, which does not cut the text.
    """
    lines = read_text(path).replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) < 3 or not lines[2].strip().isdecimal() or int(lines[2]) > len(lines) - 3:
        raise BrokenFileError(f"{path}: line 3 is not the number of special tokens that follow")
    count, pattern = int(lines[2]), lines[1].strip()
    special: dict[str, int] = {}
    for number, line in enumerate(lines[3 : 3 + count], 4):
        token, _, id = line.strip().rpartition(" ")
        if not token or not id.isdecimal() or token in special:
            raise BrokenFileError(
                f"{path}: line {number} is {line!r:.60}; expected a new special token and its id"
            )
        special[token] = int(id)
    vocabulary = [bytes([byte]) for byte in range(256)]
    merges, room = [], MAX_BYTES
    for number, line in enumerate(lines[3 + count :], 4 + count):
        pair = line.split()
        known = len(pair) == 2 and all(part.isdecimal() and len(part) < 9 for part in pair)
        if not known or max(map(int, pair)) >= len(vocabulary):
            raise BrokenFileError(
                f"{path}: line {number} is {line!r:.60}; expected two ids below {len(vocabulary)}"
            )
        left, right = map(int, pair)
        joined = vocabulary[left] + vocabulary[right]
        room -= len(joined)
        if len(joined) > MAX_TOKEN or room < 0:
            raise BrokenFileError(f"{path}: line {number} makes a token of {len(joined)} bytes")
        merges.append((left, right, len(vocabulary)))
        vocabulary.append(joined)
    special.update(check_special(path, special_tokens))
    for token, place in check_vocabulary(path, special).items() if special else ():
        if place < len(vocabulary):
            raise BrokenFileError(
                f"{path}: special token {token!r:.60} has the id {place} of an ordinary token"
            )
    return Stages(
        ByteBPE([*vocabulary], np.array(merges, np.int32).reshape(-1, 3)),
        pre_tokenizer=Split(pattern) if pattern else None, special_tokens=special,
    )
