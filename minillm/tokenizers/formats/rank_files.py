"""Reading .tiktoken files, and vocab.json with merges.txt. The files are not trusted."""

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
