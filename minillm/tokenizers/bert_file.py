"""Reading BERT's vocab.txt: one token a line, the line's number is its id."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .bert import BertNormalizer, BertSplit
from .rank_files import BrokenFileError, check_special, read_text
from .templates import Template
from .wordpiece import JoinWordPieces, WordPiece

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def read_bert_vocabulary(path: Path, special_tokens: Mapping[str, int] | None) -> dict[str, Any]:
    """Stages of the uncased BERT; a vocabulary with capital letters is taken as a cased one."""
    tokens = read_text(path).replace("\r\n", "\n").removesuffix("\n").split("\n")
    place: dict[str, int] = {}
    for id, token in enumerate(tokens):
        if not token or token in place:
            what = f"{token!r:.60} is there twice" if token else "is empty"
            raise BrokenFileError(f"{path}: line {id + 1}: {what}; expected one new token a line")
        place[token] = id
    special = {token: place[token] for token in SPECIAL if token in place}
    for token, id in check_special(path, special_tokens).items():
        if place.get(token, id) != id or (id < len(tokens) and tokens[id] != token):
            raise BrokenFileError(f"{path}: special token {token!r:.60} cannot have the id {id}")
        special[token] = id
    if "[UNK]" not in special:
        raise BrokenFileError(f"{path}: no line is [UNK]; expected the vocabulary of a BERT")
    ordinary = [None if token in special else token.encode() for token in tokens]
    cased = any(token != token.lower() for token in tokens if token not in special)
    around = None
    if {"[CLS]", "[SEP]"} <= special.keys():
        around = Template.around([special["[CLS]"]], [special["[SEP]"]])
    return {
        "model": WordPiece(ordinary, special["[UNK]"]),
        "normalizer": BertNormalizer(lowercase=not cased), "pre_tokenizer": BertSplit(),
        "post_processor": around, "decoder": JoinWordPieces(), "special_tokens": special,
    }
