"""The stages of a Tokenizer that a `.model` file describes, and its decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..decoders.streaming import OneByOne, Step
from ..stages import Stages
from ..text.utf8 import decode_per_byte
from ..unigram.most_probable import Unigram
from .merging import SentencePieceBPE
from .model_file import BYTE_PIECES, CONTROL, MODEL_TYPES, UNKNOWN, USER_DEFINED, ModelFile
from .normalizer import SPACE, SentencePieceNormalizer, width


def stages_of(file: ModelFile) -> Stages:
    """Stages of a file. Control pieces and the unknown piece are its special tokens."""
    trainer = file.trainer
    types = np.array([piece.type for piece in file.pieces], np.int32)
    texts = [piece.text for piece in file.pieces]
    scores = np.array([piece.score for piece in file.pieces], np.float32)
    vocabulary: list[bytes | None] = [text.encode() for text in texts]
    unk_id = int(np.flatnonzero(types == UNKNOWN)[0])
    kind = MODEL_TYPES[trainer.model_type]
    model: Any
    if kind == "unigram":
        model = Unigram(vocabulary, scores, types, unk_id, trainer.byte_fallback, "sentencepiece")
    else:
        model = SentencePieceBPE(vocabulary, scores, types, unk_id, trainer.byte_fallback, kind)
    model.file = file
    model.roles = {"bos": trainer.bos_id, "eos": trainer.eos_id, "pad": trainer.pad_id}
    special = {texts[id]: id for id in np.flatnonzero(np.isin(types, [UNKNOWN, CONTROL])).tolist()}
    return Stages(
        model, normalizer_of(file), decoder=decoder_of(file), special_tokens=special
    )


def normalizer_of(file: ModelFile) -> SentencePieceNormalizer:
    """The normalizer that the file describes."""
    spec = file.normalizer
    symbols = tuple(piece.text for piece in file.pieces if piece.type == USER_DEFINED)
    return SentencePieceNormalizer(
        spec.charsmap, spec.add_dummy_prefix, spec.remove_extra_whitespaces,
        spec.escape_whitespaces, file.trainer.treat_whitespace_as_suffix, symbols,
    )


def decoder_of(file: ModelFile) -> SentencePieceDecoder:
    """The decoder that goes with the normalizer of the file."""
    spec, trainer = file.normalizer, file.trainer
    prefixed = "one" if spec.add_dummy_prefix else "keep"
    return SentencePieceDecoder(
        frozenset(piece.text.encode() for piece in file.pieces if piece.type == CONTROL),
        next(piece.text.encode() for piece in file.pieces if piece.type == UNKNOWN),
        trainer.unk_surface.encode(),
        "each" if spec.remove_extra_whitespaces else prefixed,
        trainer.byte_fallback,
    )


BYTES = {name.encode(): bytes([value]) for name, value in BYTE_PIECES.items()}


@dataclass(frozen=True)
class SentencePieceDecoder(OneByOne):
    """Join pieces as the library does.

    control: pieces that stand for no text; unk: the unknown piece, shown as `unk_surface`. ▁
    becomes a space. `leading` says what becomes of ▁ while there is no text yet: "keep" it; drop
    "one", the prefix that the normalizer put there; drop one from "each" piece, where the
    normalizer removes extra spaces. With `byte_pieces` the pieces <0x00> to <0xFF> are bytes.
    """

    control: frozenset[bytes] = frozenset()
    unk: bytes = b"<unk>"
    unk_surface: bytes = " \u2047 ".encode()
    leading: str = "each"
    byte_pieces: bool = False

    def start(self) -> tuple[bytes, bool, bool]:
        """(bytes that are not yet a character, may a ▁ be dropped, is there no text yet)"""
        return b"", self.leading != "keep", True

    def push(self, state: tuple[bytes, bool, bool], token: bytes) -> Step:
        waiting, droppable, empty = state
        if self.byte_pieces and token in BYTES:
            waiting += BYTES[token]
            text = b""
            while waiting and len(waiting) >= width(waiting[0]):
                character, waiting = first_character(waiting)
                text += character
            return (waiting, droppable, empty and not text), [text]
        text = decode_per_byte(waiting).encode()
        droppable = droppable and empty and not text
        if token == self.unk:
            text += self.unk_surface
        elif token not in self.control:
            if droppable and token.startswith(SPACE):
                token, droppable = token[len(SPACE) :], self.leading == "each"
            text += token.replace(SPACE, b" ")
        return (b"", droppable, empty and not text), [text]

    def finish(self, state: tuple[bytes, bool, bool]) -> list[bytes]:
        return [decode_per_byte(state[0]).encode()]


def first_character(data: bytes) -> tuple[bytes, bytes]:
    """(UTF-8 of the first character, the bytes after it); U+FFFD for a byte that begins none."""
    size = width(data[0])
    try:
        data[:size].decode()
    except UnicodeDecodeError:
        size = 0
    return (data[:size], data[size:]) if size else (b"\xef\xbf\xbd", data[1:])
