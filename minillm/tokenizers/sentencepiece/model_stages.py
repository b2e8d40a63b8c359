"""The stages of a Tokenizer that a `.model` file describes."""

from typing import Any

import numpy as np

from ..stages import Stages
from ..unigram.most_probable import Unigram
from .decoding import SentencePieceDecoder
from .merging import SentencePieceBPE
from .model_file import CONTROL, MODEL_TYPES, UNKNOWN, USER_DEFINED, ModelFile
from .normalizer import SentencePieceNormalizer


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
