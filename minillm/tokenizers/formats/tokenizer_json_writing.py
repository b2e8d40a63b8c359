"""Writing tokenizer.json as Hugging Face tokenizers reads it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from minillm.files import written_atomically

from ..bpe.byte_bpe import ByteBPE
from ..bpe.character_bpe import CharacterBPE
from ..special_tokens import TokenRule
from ..text.byte_alphabet import bytes_to_characters
from ..unigram.most_probable import Unigram
from ..vocabulary import Vocabulary
from ..word.vocabulary import WordVocabulary
from ..wordpiece.longest_match import WordPiece
from .json_numbers import write_number
from .json_stages_writing import (
    cannot_write,
    decoder_json,
    normalizer_json,
    padding_json,
    post_processor_json,
    pre_tokenizer_json,
    truncation_json,
)


def write_tokenizer_json(tok: Vocabulary, path: Path) -> None:
    """Write a tokenizer; the file is replaced at once or not at all."""
    added, model = [], model_json(tok)
    entries = model.get("vocab", {})  # a unigram model's are written below
    for token, id in sorted(tok.special_tokens.items(), key=lambda item: item[1]):
        if entries.get(token, id) != id:
            raise ValueError(f"the special token {token!r} with the id {id} is spelled like the "
                             f"entry {entries[token]} in a tokenizer.json, which cannot "
                             "tell them apart; give it another name")
        rule = tok.token_rules.get(token, TokenRule())
        added.append({
            "id": id, "content": token, "single_word": rule.single_word, "lstrip": rule.lstrip,
            "rstrip": rule.rstrip, "normalized": rule.normalized, "special": not rule.ordinary,
        })
    byte_level = isinstance(tok.model, ByteBPE)
    value = {
        "version": "1.0",
        "truncation": truncation_json(tok.truncation),
        "padding": padding_json(tok.padding),
        "added_tokens": added,
        "normalizer": None if tok.normalizer is None else normalizer_json(tok.normalizer),
        "pre_tokenizer": pre_tokenizer_json(tok.pre_tokenizer, byte_level),
        "post_processor": post_processor_json(tok, byte_level),
        "decoder": decoder_json(tok.decoder, byte_level),
        "model": model,
    }
    text = json.dumps(value, ensure_ascii=False, indent=1)
    if isinstance(tok.model, Unigram):
        text = text.removesuffix("\n }\n}") + f',\n  "vocab": {scores_json(tok)}\n }}\n}}'
    with written_atomically(path) as file:
        file.write(text.encode())


def scores_json(tok: Vocabulary) -> str:
    """The pieces of a unigram model and their scores, as numbers that are read back exactly."""
    named = {id: token for token, id in tok.special_tokens.items()}
    rows = []
    for id, (token, score) in enumerate(zip(tok.model.vocabulary, tok.model.scores.tolist())):
        piece = named.get(id, f"<unused{id}>") if token is None else token.decode()
        rows.append(f"   [{json.dumps(piece, ensure_ascii=False)}, {write_number(score)}]")
    return "[\n" + ",\n".join(rows) + "\n  ]"


def model_json(tok: Vocabulary) -> dict[str, Any]:
    """The model as an object; the scores of a unigram model come later."""
    model = tok.model
    if isinstance(model, Unigram):
        return unigram_json(model)
    if not isinstance(model, ByteBPE | CharacterBPE | WordVocabulary | WordPiece):
        raise cannot_write("model", model)
    as_text = bytes_to_characters if isinstance(model, ByteBPE) else bytes.decode
    names = [None if token is None else as_text(token) for token in model.vocabulary]
    vocabulary = {name: id for id, name in enumerate(names) if name is not None}
    unk_id = getattr(model, "unk_id", None)
    for token, id in named_in_model(tok, vocabulary).items():
        vocabulary.setdefault(token, id)
    vocabulary = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    unk_token = next((token for token, id in vocabulary.items() if id == unk_id), None)
    if unk_token is None and not getattr(model, "drop_unknown", isinstance(model, ByteBPE)):
        unk_token = next(  # with a name that is no entry, unknown text is an error there too
            name for k in range(len(vocabulary) + 1)
            if (name := f"<unk{k or ''}>") not in vocabulary
        )
    if isinstance(model, WordVocabulary):
        return {"type": "WordLevel", "vocab": vocabulary, "unk_token": unk_token}
    if isinstance(model, WordPiece):
        return {
            "type": "WordPiece", "unk_token": unk_token,
            "continuing_subword_prefix": model.prefix,
            "max_input_chars_per_word": model.longest, "vocab": vocabulary,
        }
    merges = model.merges
    if isinstance(model, ByteBPE) and model.ranks is not None:
        merges = merges[np.argsort(model.ranks, kind="stable")]
    return {
        "type": "BPE",
        "dropout": model.dropout or None,
        "unk_token": unk_token,
        "continuing_subword_prefix": getattr(model, "prefix", None) or None,
        "end_of_word_suffix": getattr(model, "suffix", None) or None,
        "fuse_unk": getattr(model, "fuse_unk", False),
        "byte_fallback": getattr(model, "byte_fallback", False),
        "ignore_merges": getattr(model, "whole_pieces", getattr(model, "whole_words", False)),
        "vocab": vocabulary,
        "merges": [[names[left], names[right]] for left, right, _ in merges.tolist()],
    }


def named_in_model(tok: Vocabulary, vocabulary: dict[str, int]) -> dict[str, int]:
    """The special tokens that stand in the model's vocabulary too.

    The library numbers the others itself: from the vocabulary's size on, without gaps.
    """
    rules, unk_id = tok.token_rules, getattr(tok.model, "unk_id", None)
    ids = len(tok.model.vocabulary)
    inside = {
        token: id for token, id in tok.special_tokens.items()
        if id < ids and (id == unk_id or not rules.get(token, TokenRule()).ordinary)
    }
    beyond = sorted(id for id in tok.special_tokens.values() if id >= ids)
    first = len(vocabulary.keys() | inside)
    return inside if beyond == list(range(first, first + len(beyond))) else tok.special_tokens


def unigram_json(model: Unigram) -> dict[str, Any]:
    """The model without its pieces, which ``scores_json`` writes."""
    if model.variant != "huggingface":
        raise ValueError(
            "model is a SentencePiece model, whose arithmetic tokenizer.json does not know; save "
            "it with a name that ends in .model"
        )
    return {"type": "Unigram", "unk_id": model.unk_id, "byte_fallback": model.byte_fallback}
