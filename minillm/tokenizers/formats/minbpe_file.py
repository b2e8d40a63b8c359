"""Reading minbpe's .model files (Karpathy 2024): a pattern, special tokens and merges as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..bpe.byte_bpe import ByteBPE
from ..pre_tokenizers.split_rules import Split
from ..stages import Stages
from .untrusted import (
    MAX_BYTES,
    MAX_TOKEN,
    BrokenFileError,
    check_special,
    check_vocabulary,
    read_text,
)

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
