"""The stages of a Tokenizer that a `.model` file describes, and the way back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..sentencepiece.decoding import SentencePieceDecoder
from ..sentencepiece.merging import SentencePieceBPE
from ..sentencepiece.model_file import CONTROL, MODEL_TYPES, UNKNOWN, USER_DEFINED, ModelFile
from ..sentencepiece.normalizer import SentencePieceNormalizer
from ..unigram.most_probable import Unigram
from .sentencepiece_file import read_model_file
from .untrusted import check_special


def read_sentencepiece(path: Path, special_tokens: Mapping[str, int] | None) -> dict[str, Any]:
    """The stages of the tokenizer in a `.model` file, as arguments of ``Tokenizer``."""
    stages = stages_of(read_model_file(path))
    stages["special_tokens"].update(check_special(path, special_tokens))
    return stages


def is_sentencepiece(path: Path) -> bool:
    """Does the file begin as a message of pieces does? Text formats begin with other bytes."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start[:1] != b"\x0a" or len(start) < 2:
        return False
    return path.suffix == ".model" or start[1:] not in (b" ", b"\t", b"\r", b"\n", b"{")


def stages_of(file: ModelFile) -> dict[str, Any]:
    """Arguments of ``Tokenizer``. Control pieces and the unknown piece are its special tokens."""
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
    return {
        "model": model, "normalizer": normalizer_of(file), "decoder": decoder_of(file),
        "special_tokens": special,
    }


def normalizer_of(file: ModelFile) -> SentencePieceNormalizer:
    spec = file.normalizer
    symbols = tuple(piece.text for piece in file.pieces if piece.type == USER_DEFINED)
    return SentencePieceNormalizer(
        spec.charsmap, spec.add_dummy_prefix, spec.remove_extra_whitespaces,
        spec.escape_whitespaces, file.trainer.treat_whitespace_as_suffix, symbols,
    )


def decoder_of(file: ModelFile) -> SentencePieceDecoder:
    spec, trainer = file.normalizer, file.trainer
    prefixed = "one" if spec.add_dummy_prefix else "keep"
    return SentencePieceDecoder(
        frozenset(piece.text.encode() for piece in file.pieces if piece.type == CONTROL),
        next(piece.text.encode() for piece in file.pieces if piece.type == UNKNOWN),
        trainer.unk_surface.encode(),
        "each" if spec.remove_extra_whitespaces else prefixed,
        trainer.byte_fallback,
    )
