"""Reading BERT's vocab.txt: one token a line, the line's number is its id."""

import re
from collections.abc import Mapping
from pathlib import Path

from ..decoders.joining import JoinWordPieces
from ..normalizers.bert import BertNormalizer
from ..post_processors.templates import Template
from ..pre_tokenizers.bert import BertSplit
from ..stages import Stages
from ..wordpiece.longest_match import WordPiece
from .untrusted import BrokenFileError, check_special, read_text

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def read_bert_vocabulary(
    path: Path, special_tokens: Mapping[str, int] | None, lowercase: bool | None = None
) -> Stages:
    """Stages of BERT, with small letters for all unless the vocabulary is a cased one.

    lowercase: is it (True: it is not)? None: see ``is_cased``.
    """
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
    if lowercase is None:
        lowercase = not is_cased([token for token in tokens if token not in special])
    around = None
    if {"[CLS]", "[SEP]"} <= special.keys():
        around = Template.around([special["[CLS]"]], [special["[SEP]"]])
    return Stages(
        WordPiece(ordinary, special["[UNK]"]), BertNormalizer(lowercase=lowercase), BertSplit(),
        around, JoinWordPieces(), special,
    )


def is_cased(tokens: list[str]) -> bool:
    """Has the vocabulary entries for capital letters, so that text must keep them?

    A vocabulary that was learned holds each letter of its texts by itself: a single capital, alone
    or after ##, decides. Longer entries with capitals may have been added by hand ([EOS], Berlin);
    they decide only where there are no single letters at all, and those in brackets never.
    """
    single = [token.removeprefix("##") for token in tokens]
    letters = [token for token in single if len(token) == 1 and token.lower() != token.upper()]
    if letters:
        return any(letter != letter.lower() for letter in letters)
    plain = [token for token in tokens if not re.fullmatch(r"\[.*\]|<.*>", token)]
    return any(token != token.lower() for token in plain)
