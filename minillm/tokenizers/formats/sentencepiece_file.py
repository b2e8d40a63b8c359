"""Reading and writing SentencePiece `.model` files, without the library. Files are not trusted.

The format is a Protocol Buffers message (``protobuf_wire``): the pieces, then what the trainer
and the normalizer were told. Fields this book has no use for are kept as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields as attributes
from pathlib import Path
from typing import Any

import numpy as np

from minillm.files import written_atomically

from ..normalizers.charsmap import Charsmap
from ..sentencepiece.model_file import (
    BYTE,
    BYTE_PIECES,
    MODEL_TYPES,
    NORMAL,
    UNKNOWN,
    ModelFile,
    NormalizerSpec,
    Piece,
    TrainerSpec,
)
from ..sentencepiece.model_stages import stages_of
from ..stages import Stages
from . import protobuf_wire as wire
from .untrusted import check_special, read_bytes

# -- reading ----------------------------------------------------------------------------------


def read_model_file(path: Path) -> ModelFile:
    """The content of a `.model` file; whatever is wrong with it gives a BrokenFileError."""
    return parse_model(read_bytes(path), str(path))


def parse_model(data: bytes, name: str = "model") -> ModelFile:
    """The same from bytes."""
    whole = wire.Message(data, 0, len(data), name)
    file = ModelFile([])
    places: list[int] = []
    for entry in wire.fields(whole):
        if entry.number in (1, 2, 3):
            wire.expect(whole, entry, wire.LENGTH)
        if entry.number == 1:
            file.pieces.append(parse_piece(entry.value))
            places.append(entry.place)
        elif entry.number == 2:
            read_into(file.trainer, entry.value)
        elif entry.number == 3:
            read_into(file.normalizer, entry.value)
        else:
            file.others += data[entry.place : entry.end]
    check_pieces(whole, file, places)
    if file.normalizer.charsmap:
        try:
            Charsmap(file.normalizer.charsmap)
        except ValueError as error:
            place = data.find(file.normalizer.charsmap)
            raise whole.broken(place, f"the charsmap is broken: {error}") from None
    return file


def parse_piece(message: wire.Message) -> Piece:
    """One piece: text, score and type."""
    text, score, kind = "", 0.0, NORMAL
    for entry in wire.fields(message):
        if entry.number == 1:
            text = wire.as_text(message, entry)
        elif entry.number == 2:
            score = wire.as_float(message, entry)
        elif entry.number == 3:
            kind = wire.as_int(message, entry)
            if not NORMAL <= kind <= BYTE:
                raise message.broken(entry.place, f"a piece of type {kind}; expected 1 to 6")
    return Piece(text, score, kind)


READERS: dict[str, Callable[..., Any]] = {
    "int": wire.as_int, "str": wire.as_text, "bytes": wire.as_bytes, "texts": wire.as_text,
    "float": lambda message, entry: shortest(wire.as_float(message, entry)),
    "bool": lambda message, entry: bool(wire.as_int(message, entry)),
}


def shortest(value: float) -> float:
    """0.9995 for the float32 next to it, 0.9994999766349792."""
    return float(str(np.float32(value)))


def read_into(spec: Any, message: wire.Message) -> None:
    """Set the attributes of a TrainerSpec or NormalizerSpec that the message holds."""
    known = {a.metadata["number"]: a for a in attributes(spec) if a.metadata}
    others = bytearray(spec.others)
    repeated: dict[str, list[str]] = {}
    for entry in wire.fields(message):
        attribute = known.get(entry.number)
        if attribute is None:
            others += message.data[entry.place : entry.end]
            continue
        value = READERS[attribute.metadata["kind"]](message, entry)
        if attribute.metadata["kind"] == "texts":
            repeated.setdefault(attribute.name, []).append(value)
        else:
            setattr(spec, attribute.name, value)
    for name, values in repeated.items():
        setattr(spec, name, getattr(spec, name) + tuple(values))
    spec.others = bytes(others)


def check_pieces(whole: wire.Message, file: ModelFile, places: list[int]) -> None:
    """What must hold between the pieces; the library refuses such files as well."""
    if file.trainer.model_type not in MODEL_TYPES:
        raise whole.broken(0, f"model_type is {file.trainer.model_type}; expected 1 to 4")
    seen: dict[str, int] = {}
    for id, (piece, place) in enumerate(zip(file.pieces, places)):
        if not piece.text or "\0" in piece.text:
            raise whole.broken(place, f"piece {id} is {piece.text!r:.60}, empty or with a NUL")
        if piece.text in seen:
            raise whole.broken(
                place, f"piece {id} is {piece.text!r:.60}, as is piece {seen[piece.text]}"
            )
        if piece.type == BYTE and not file.trainer.byte_fallback:
            raise whole.broken(place, f"piece {id} is a byte, but byte_fallback is off")
        if piece.type == BYTE and piece.text not in BYTE_PIECES:
            problem = f"piece {id} is {piece.text!r:.60}; expected <0x00> to <0xFF>"
            raise whole.broken(place, problem)
        seen[piece.text] = id
    unknown = sum(piece.type == UNKNOWN for piece in file.pieces)
    if unknown != 1:
        raise whole.broken(whole.end, f"{unknown} pieces are the unknown piece; expected 1")
    bytes_found = sum(piece.type == BYTE for piece in file.pieces)
    if file.trainer.byte_fallback and bytes_found != 256:
        raise whole.broken(whole.end, f"{bytes_found} pieces are bytes; byte_fallback needs 256")


# -- writing ----------------------------------------------------------------------------------

def write_model_file(file: ModelFile, path: Path) -> None:
    """Write a `.model` file that the sentencepiece library opens."""
    with written_atomically(path) as target:
        target.write(model_bytes(file))


def model_bytes(file: ModelFile) -> bytes:
    """The content of a `.model` file."""
    pieces = (wire.field(1, piece_bytes(piece)) for piece in file.pieces)
    specs = [spec_bytes(file.trainer), spec_bytes(file.normalizer)]
    return b"".join([*pieces, wire.field(2, specs[0]), wire.field(3, specs[1]), file.others])


def piece_bytes(piece: Piece) -> bytes:
    """The message that ``parse_piece`` reads."""
    kind = wire.field(3, piece.type) if piece.type != NORMAL else b""
    return wire.field(1, piece.text) + wire.field(2, float(piece.score)) + kind


def spec_bytes(spec: TrainerSpec | NormalizerSpec) -> bytes:
    """The fields that differ from their default, and those that were kept unread."""
    result = []
    for attribute in attributes(spec):
        value = getattr(spec, attribute.name)
        if attribute.metadata and value != attribute.default:
            number = attribute.metadata["number"]
            values = value if attribute.metadata["kind"] == "texts" else [value]
            result += [wire.field(number, one) for one in values]
    return b"".join(result) + spec.others


def read_sentencepiece(path: Path, special_tokens: Mapping[str, int] | None) -> Stages:
    """The stages of the tokenizer in a `.model` file."""
    stages = stages_of(read_model_file(path))
    stages.special_tokens.update(check_special(path, special_tokens))
    return stages


def is_sentencepiece(path: Path) -> bool:
    """Does the file begin as a message of pieces does? Text formats begin with other bytes."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start[:1] != b"\x0a" or len(start) < 2:
        return False
    return path.suffix == ".model" or start[1:] not in (b" ", b"\t", b"\r", b"\n", b"{")
