"""Stages that a tokenizer.json gives field by field: one table, to read by and to write by.

A row is a type of the file with our class and, in the order of its fields, (key, type of the value,
default); a key without a default is required.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

from ..decoders.joining import Join, JoinWordPieces, JoinWords
from ..decoders.rewriting import CTC, ByteTokens, FromByteAlphabet, StripFrom
from ..normalizers.bert import BertNormalizer
from ..normalizers.rewriting import Lowercase, Nmt, Prepend, Strip, StripAccents
from ..pre_tokenizers.behaviors import FixedLength, UnicodeScripts
from ..pre_tokenizers.bert import BertSplit
from ..pre_tokenizers.in_turn import ByteAlphabet
from .untrusted import BrokenFileError, item

Rows = dict[str, tuple[Any, ...]]
NORMALIZERS: Rows = {
    "Lowercase": (Lowercase,),
    "StripAccents": (StripAccents,),
    "Nmt": (Nmt,),
    "ByteLevel": (ByteAlphabet,),
    "Strip": (Strip, ("strip_left", bool, True), ("strip_right", bool, True)),
    "Prepend": (Prepend, ("prepend", str)),
    "BertNormalizer": (
        BertNormalizer, ("clean_text", bool, True), ("handle_chinese_chars", bool, True),
        ("strip_accents", bool, None), ("lowercase", bool, True),
    ),
}
PRE_TOKENIZERS: Rows = {
    "BertPreTokenizer": (BertSplit,),
    "UnicodeScripts": (UnicodeScripts,),
    "FixedLength": (FixedLength, ("length", int, 5)),
}
DECODERS: Rows = {
    "ByteLevel": (FromByteAlphabet,),
    "Fuse": (Join,),
    "ByteFallback": (ByteTokens,),
    "BPEDecoder": (JoinWords, ("suffix", str, "</w>")),
    "WordPiece": (JoinWordPieces, ("prefix", str, "##"), ("cleanup", bool, True)),
    "CTC": (CTC, ("pad_token", str), ("word_delimiter_token", str), ("cleanup", bool)),
    "Strip": (StripFrom, ("content", str), ("start", int), ("stop", int)),
}


def read_fields(path: Path, value: dict[str, Any], rows: Rows) -> Any:
    """The stage, or None if its type is not in the table."""
    if value["type"] not in rows:
        return None
    kind, *keys = rows[value["type"]]
    found = [item(path, value, *key) for key in keys]
    try:
        return kind(*found)
    except ValueError as error:
        raise BrokenFileError(f"{path}: {error}") from None


def write_fields(stage: Any, rows: Rows) -> dict[str, Any] | None:
    """The stage as an object, or None if its class is not in the table."""
    for name, (kind, *keys) in rows.items():
        if isinstance(stage, kind):
            values = [getattr(stage, field.name) for field in fields(kind)]
            return {"type": name, **{key[0]: value for key, value in zip(keys, values)}}
    return None
