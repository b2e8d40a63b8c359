"""What a SentencePiece `.model` file holds, as records: pieces, trainer, normalizer."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


class Piece(NamedTuple):
    """One entry of the vocabulary: its text, score, and type (NORMAL, CONTROL, …)."""

    text: str
    score: float = 0.0
    type: int = NORMAL


def stored(number: int, default: Any) -> Any:
    """An attribute that is written as the field `number` unless it has its default."""
    kind = "texts" if default == () else type(default).__name__
    return field(default=default, metadata={"number": number, "kind": kind})


@dataclass
class TrainerSpec:
    """What the trainer was told, and what encoding and decoding must know of it."""

    model_type: int = stored(3, 1)
    vocab_size: int = stored(4, 8000)
    character_coverage: float = stored(10, 0.9995)
    max_piece_length: int = stored(20, 16)
    split_by_unicode_script: bool = stored(21, True)
    split_by_whitespace: bool = stored(22, True)
    split_by_number: bool = stored(23, True)
    treat_whitespace_as_suffix: bool = stored(24, False)
    split_digits: bool = stored(25, False)
    allow_whitespace_only_pieces: bool = stored(26, False)
    control_symbols: tuple[str, ...] = stored(30, ())
    user_defined_symbols: tuple[str, ...] = stored(31, ())
    byte_fallback: bool = stored(35, False)
    unk_id: int = stored(40, 0)
    bos_id: int = stored(41, 1)
    eos_id: int = stored(42, 2)
    pad_id: int = stored(43, -1)
    unk_surface: str = stored(44, " \u2047 ")
    unk_piece: str = stored(45, "<unk>")
    bos_piece: str = stored(46, "<s>")
    eos_piece: str = stored(47, "</s>")
    pad_piece: str = stored(48, "<pad>")
    others: bytes = b""  # fields that are none of these, as they stood in the file


@dataclass
class NormalizerSpec:
    """How text is rewritten before it is cut."""

    name: str = stored(1, "")
    charsmap: bytes = stored(2, b"")
    add_dummy_prefix: bool = stored(3, True)
    remove_extra_whitespaces: bool = stored(4, True)
    escape_whitespaces: bool = stored(5, True)
    others: bytes = b""


@dataclass
class ModelFile:
    """All that a `.model` file says."""

    pieces: list[Piece]
    trainer: TrainerSpec = field(default_factory=TrainerSpec)
    normalizer: NormalizerSpec = field(default_factory=NormalizerSpec)
    others: bytes = b""


BYTE_PIECES = {f"<0x{byte:02X}>": byte for byte in range(256)}
