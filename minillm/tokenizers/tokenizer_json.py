"""Writing tokenizer.json as Hugging Face tokenizers reads it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minillm.files import written_atomically

from .byte_alphabet import bytes_to_characters
from .byte_bpe import ByteBPE
from .normalizing import InTurn, Lowercase, UnicodeForm
from .read_tokenizer_json import read_tokenizer_json
from .splitting import PATTERNS
from .stages import Characters, Join, JoinWords, Split, Surround
from .training import NOT_SPACE
from .words import CharacterBPE, WordVocabulary

if TYPE_CHECKING:
    from .tokenizer import Tokenizer

__all__ = ["read_tokenizer_json", "write_tokenizer_json"]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
EVERY_CHARACTER = r"[\s\S]"


def write_tokenizer_json(tok: "Tokenizer", path: Path) -> None:
    """Write a tokenizer; the file is replaced at once or not at all."""
    value = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": id, "content": token, "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False, "special": True,
            }
            for token, id in sorted(tok.special_tokens.items(), key=lambda item: item[1])
        ],
        "normalizer": None if tok.normalizer is None else normalizer_json(tok.normalizer),
        "pre_tokenizer": pre_tokenizer_json(tok),
        "post_processor": post_processor_json(tok),
        "decoder": decoder_json(tok),
        "model": model_json(tok),
    }
    with written_atomically(path) as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=1).encode())


def cannot_write(stage: str, value: Any) -> ValueError:
    return ValueError(f"{stage}={value!r:.80} cannot be written to a tokenizer.json")


def normalizer_json(normalizer: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(normalizer, UnicodeForm):
        return {"type": normalizer.form}
    if isinstance(normalizer, Lowercase):
        return {"type": "Lowercase"}
    if isinstance(normalizer, InTurn):
        return {"type": "Sequence", "normalizers": [normalizer_json(n) for n in normalizer.steps]}
    raise cannot_write("normalizer", normalizer)


def split_json(pattern: str, keep_gaps: bool) -> dict[str, Any]:
    source = PATTERNS.get(pattern, pattern).replace(r"\Z", r"\z")
    behavior, invert = ("Isolated", False) if keep_gaps else ("Removed", True)
    return {"type": "Split", "pattern": {"Regex": source}, "behavior": behavior, "invert": invert}


def pre_tokenizer_json(tok: "Tokenizer") -> dict[str, Any] | None:
    stage = tok.pre_tokenizer
    if isinstance(stage, Split) and isinstance(tok.model, ByteBPE):
        if stage.rule == "gpt2":
            return {**BYTE_LEVEL, "use_regex": True}
        cut = split_json(stage.rule or stage.pattern, stage.keep_gaps)
        return {"type": "Sequence", "pretokenizers": [cut, {**BYTE_LEVEL, "use_regex": False}]}
    if isinstance(stage, Split):
        if stage.pattern == NOT_SPACE:
            return {"type": "WhitespaceSplit"}
        return split_json(stage.pattern, stage.keep_gaps)
    if isinstance(stage, Characters):
        return split_json(EVERY_CHARACTER, True)
    if stage is None:
        return {**BYTE_LEVEL, "use_regex": False} if isinstance(tok.model, ByteBPE) else None
    raise cannot_write("pre_tokenizer", stage)


def post_processor_json(tok: "Tokenizer") -> dict[str, Any] | None:
    stage = tok.post_processor
    if stage is None:
        return {**BYTE_LEVEL, "use_regex": True} if isinstance(tok.model, ByteBPE) else None
    if not isinstance(stage, Surround):
        raise cannot_write("post_processor", stage)
    names = {id: tok.id_to_token(id) for id in (*stage.before, *stage.after)}
    before = [{"SpecialToken": {"id": names[id], "type_id": 0}} for id in stage.before]
    after = [{"SpecialToken": {"id": names[id], "type_id": 0}} for id in stage.after]
    first, second = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}
    return {
        "type": "TemplateProcessing",
        "single": [*before, first, *after],
        "pair": [*before, first, *after, *before, second, *after],
        "special_tokens": {
            name: {"id": name, "ids": [id], "tokens": [name]} for id, name in names.items()
        },
    }


def decoder_json(tok: "Tokenizer") -> dict[str, Any]:
    if isinstance(tok.decoder, JoinWords):
        return {"type": "BPEDecoder", "suffix": tok.decoder.suffix}
    if not isinstance(tok.decoder, Join):
        raise cannot_write("decoder", tok.decoder)
    if isinstance(tok.model, ByteBPE):
        return {**BYTE_LEVEL, "use_regex": True}
    return {"type": "Fuse"}


def model_json(tok: "Tokenizer") -> dict[str, Any]:
    model = tok.model
    if not isinstance(model, ByteBPE | CharacterBPE | WordVocabulary):
        raise cannot_write("model", model)
    as_text = bytes_to_characters if isinstance(model, ByteBPE) else bytes.decode
    names = [None if token is None else as_text(token) for token in model.vocabulary]
    vocabulary = {name: id for id, name in enumerate(names) if name is not None}
    for token, id in tok.special_tokens.items():
        vocabulary.setdefault(token, id)
    vocabulary = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    unk_id = getattr(model, "unk_id", None)
    unk_token = None if unk_id is None else tok.id_to_token(unk_id)
    if isinstance(model, WordVocabulary):
        return {"type": "WordLevel", "vocab": vocabulary, "unk_token": unk_token or "<unk>"}
    merges = model.merges
    if isinstance(model, ByteBPE) and model.ranks is not None:
        merges = merges[np.argsort(model.ranks, kind="stable")]
    suffix = getattr(model, "suffix", None) or None
    return {
        "type": "BPE",
        "dropout": model.dropout or None,
        "unk_token": unk_token,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": suffix,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": getattr(model, "whole_pieces", False),
        "vocab": vocabulary,
        "merges": [[names[left], names[right]] for left, right, _ in merges.tolist()],
    }
