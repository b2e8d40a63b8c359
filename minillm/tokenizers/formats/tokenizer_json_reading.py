"""Reading tokenizer.json. The file is not trusted: whatever is wrong gives one ValueError."""

import math
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np

from ..bpe.byte_bpe import ByteBPE
from ..bpe.character_bpe import CharacterBPE
from ..decoders.joining import Join
from ..decoders.rewriting import FromByteAlphabet
from ..normalizers.rewriting import InTurn
from ..pre_tokenizers.in_turn import ByteAlphabet, InByteAlphabet, in_alphabet
from ..special_tokens import TokenRule
from ..stages import Stages
from ..text.byte_alphabet import CHARACTER_OF_BYTE, all_to_bytes
from ..unigram.most_probable import Unigram
from ..word.vocabulary import WordVocabulary
from ..wordpiece.longest_match import WordPiece
from .json_numbers import read_number
from .json_stages_reading import (
    in_turn,
    read_decoder,
    read_normalizer,
    read_padding,
    read_post_processor,
    read_pre_tokenizer,
    read_truncation,
)
from .untrusted import BrokenFileError, by_id, check_vocabulary, item, merge_ids, read_json

MODELS = "BPE, WordLevel, WordPiece, Unigram"


def read_tokenizer_json(path: Path) -> Stages:
    """The stages of a tokenizer.json."""
    value = read_json(path, read_number)
    special, rules = read_added_tokens(path, item(path, value, "added_tokens", list, []))
    cuts = read_pre_tokenizer(path, item(path, value, "pre_tokenizer", dict, None))
    decoder = read_decoder(path, item(path, value, "decoder", dict, None))
    model = item(path, value, "model", dict)
    normalizer = item(path, value, "normalizer", dict, None)
    normalize = None if normalizer is None else read_normalizer(path, normalizer)
    normalize = None if normalize == InTurn(()) else normalize
    spellings = cuts.count(InByteAlphabet()) + rewrites(normalize).count(ByteAlphabet())
    as_bytes = (
        cuts[-1:] == [InByteAlphabet()] and spellings == 1 and decoder == FromByteAlphabet()
        and works_on_bytes(model)
    )
    if as_bytes:
        cuts, decoder = cuts[:-1], Join()
    return Stages(
        model=read_model(path, model, as_bytes, special, guarded(special, rules, spellings > 0)),
        normalizer=normalize,
        pre_tokenizer=in_turn(cuts),
        post_processor=read_post_processor(
            path, item(path, value, "post_processor", dict, None), special
        ),
        decoder=decoder,
        special_tokens=special,
        token_rules=rules,
        truncation=read_truncation(path, item(path, value, "truncation", dict, None)),
        padding=read_padding(path, item(path, value, "padding", dict, None)),
    )


def rewrites(normalizer: Any) -> list[Any]:
    """The plain normalizers, in order."""
    if isinstance(normalizer, InTurn):
        return [plain for step in normalizer.steps for plain in rewrites(step)]
    return [normalizer]


def works_on_bytes(model: dict[str, Any]) -> bool:
    """Is it BPE whose tokens, spelled in the byte alphabet, are byte strings and nothing else?"""
    marks = model.get("continuing_subword_prefix"), model.get("end_of_word_suffix")
    vocabulary = model.get("vocab")
    if model.get("type", "BPE") != "BPE" or any(marks) or not isinstance(vocabulary, dict):
        return False
    unknown = [byte for byte, name in CHARACTER_OF_BYTE.items() if name not in vocabulary]
    return not unknown or not (model.get("unk_token") or model.get("byte_fallback"))


def guarded(
    special: dict[str, int], rules: dict[str, TokenRule], spelled: bool
) -> set[str]:
    """The special tokens that text can never turn into, except as a whole and when allowed.

    Where the model sees text `spelled` in the byte alphabet, an entry that such text can become is
    not the special token that is written alike: é is the byte E9 there.
    """
    return {
        token for token in special
        if not (rule := rules.get(token, TokenRule())).ordinary and not rule.single_word
        and (not spelled or in_alphabet(token) == token)
    }


def read_added_tokens(
    path: Path, entries: list[Any]
) -> tuple[dict[str, int], dict[str, TokenRule]]:
    """Ids of the added tokens, and the rules of those that have any."""
    special: dict[str, int] = {}
    rules = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise BrokenFileError(f"{path}: 'added_tokens' holds {entry!r:.60}; expected objects")
        content = item(path, entry, "content", str)
        if content in special or not content:
            raise BrokenFileError(f"{path}: 'added_tokens' holds {content!r} twice or empty")
        special[content] = item(path, entry, "id", int)
        names = ("single_word", "lstrip", "rstrip", "normalized")
        flags = {name: item(path, entry, name, bool, False) for name in names}
        rule = TokenRule(ordinary=not item(path, entry, "special", bool, True), **flags)
        if rule != TokenRule():
            rules[content] = rule
    if special:
        check_vocabulary(path, special)
    return special, rules


def read_model(
    path: Path, value: dict[str, Any], byte_level: bool, special: dict[str, int],
    guarded: set[str],
) -> Any:
    """The model; `byte_level`: it works on bytes, and its tokens are in the byte alphabet."""
    kind = item(path, value, "type", str, "BPE")
    if kind == "Unigram":
        return read_unigram(path, value, guarded)
    if kind not in ("BPE", "WordLevel", "WordPiece"):
        raise BrokenFileError(f"{path}: model {kind!r:.40} is not supported; expected {MODELS}")
    vocabulary = check_vocabulary(path, item(path, value, "vocab", dict))
    for token, id in special.items():
        if vocabulary.get(token, id) != id:
            raise BrokenFileError(f"{path}: {token!r} has two ids, {id} and {vocabulary[token]}")
    alone = {id for token, id in special.items() if token not in vocabulary}
    clash = alone.intersection(vocabulary.values()) if alone else set()
    if clash:
        raise BrokenFileError(f"{path}: id {min(clash)} belongs to two tokens")
    merges = None
    ordinary = vocabulary
    left_out = guarded & vocabulary.keys()
    if kind == "BPE":
        prefix = item(path, value, "continuing_subword_prefix", str, "")
        merges = merge_ids(path, item(path, value, "merges", list), vocabulary, prefix)
        made = np.zeros(max(vocabulary.values()) + 1, bool)
        made[merges] = True
        left_out = {token for token in left_out if len(token) > 1 and not made[vocabulary[token]]}
    if left_out:
        ordinary = {token: id for token, id in vocabulary.items() if token not in left_out}
    unk_token = item(path, value, "unk_token", str, None)
    unk_id = None if unk_token is None else vocabulary.get(unk_token)
    spelled = all_to_bytes(list(ordinary)) if byte_level else map(str.encode, ordinary)
    tokens = dict(zip(spelled, ordinary.values()))
    if len(tokens) < len(ordinary):
        raise BrokenFileError(f"{path}: two tokens of the vocabulary stand for the same bytes")
    table = by_id(tokens) if tokens else []
    if kind == "WordLevel":
        return WordVocabulary(table, unk_id)
    if kind == "WordPiece":
        prefix = item(path, value, "continuing_subword_prefix", str, "##")
        longest = item(path, value, "max_input_chars_per_word", int, 100)
        if not 0 <= longest <= 1 << 20:
            raise BrokenFileError(f"{path}: 'max_input_chars_per_word' is {longest}")
        return WordPiece(table, unk_id, prefix, longest)
    assert merges is not None
    return read_bpe(path, value, byte_level, merges, table, unk_id)


def read_bpe(
    path: Path, value: dict[str, Any], byte_level: bool, merges: np.ndarray,
    table: list[bytes | None], unk_id: int | None,
) -> ByteBPE | CharacterBPE:
    """A BPE model, on bytes or on characters."""
    prefix = item(path, value, "continuing_subword_prefix", str, "")
    suffix = item(path, value, "end_of_word_suffix", str, "")
    dropout = float(item(path, value, "dropout", int | float, 0.0))
    if not 0 <= dropout <= 1:
        raise BrokenFileError(f"{path}: 'dropout' is {dropout}; expected 0 to 1")
    whole = item(path, value, "ignore_merges", bool, False)
    if byte_level:
        return ByteBPE(table, merges, whole_pieces=whole, dropout=dropout)
    return CharacterBPE(
        table, merges, unk_id, suffix, dropout, prefix=prefix,
        fuse_unk=item(path, value, "fuse_unk", bool, False),
        byte_fallback=item(path, value, "byte_fallback", bool, False),
        whole_words=whole, drop_unknown=value.get("unk_token") is None, dropout_rule="huggingface",
    )


def read_unigram(path: Path, value: dict[str, Any], guarded: Set[str]) -> Unigram:
    """Pieces are told apart by their place in the list, which is their id."""
    pieces: list[bytes | None] = []
    scores = []
    seen = set()
    for k, entry in enumerate(item(path, value, "vocab", list)):
        good = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
        if not good or isinstance(entry[1], bool) or not isinstance(entry[1], int | float):
            raise BrokenFileError(f"{path}: entry {k} is {entry!r:.60}; expected [piece, score]")
        if not math.isfinite(entry[1]) or abs(entry[1]) > 1e30:
            raise BrokenFileError(f"{path}: the score of entry {k} is {entry[1]!r:.40}")
        if entry[0] in seen or any(0xD800 <= ord(c) < 0xE000 for c in entry[0]):
            raise BrokenFileError(f"{path}: entry {k} {entry[0]!r:.60} is there twice or broken")
        seen.add(entry[0])
        pieces.append(None if entry[0] in guarded else entry[0].encode())
        scores.append(float(entry[1]))
    unk_id = item(path, value, "unk_id", int, None)
    if not pieces or (unk_id is not None and not 0 <= unk_id < len(pieces)):
        raise BrokenFileError(f"{path}: 'unk_id' is {unk_id}, with {len(pieces)} pieces")
    return Unigram(
        pieces, np.array(scores), unk_id=unk_id,
        byte_fallback=item(path, value, "byte_fallback", bool, False),
    )
