"""Reading tokenizer.json. The file is not trusted: whatever is wrong gives one ValueError."""

import math
from collections.abc import Set
from contextlib import suppress
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
from ..text.byte_alphabet import CHARACTER_OF_BYTE
from ..unigram.most_probable import Unigram
from ..word.vocabulary import WordVocabulary
from ..wordpiece.longest_match import WordPiece
from .file_tokens import FileTokens
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
from .long_parts import read_by_parts
from .untrusted import BrokenFileError, check_vocabulary, item, merge_ids, read_json

MODELS = "BPE, WordLevel, WordPiece, Unigram"


def read_tokenizer_json(path: Path) -> Stages:
    """The stages of a tokenizer.json."""
    value = read_by_parts(path)
    if value is not None:
        with suppress(BrokenFileError):  # which the plain way tells more about
            return stages_of(path, value)
    return stages_of(path, read_json(path, read_number))


def stages_of(path: Path, value: dict[str, Any]) -> Stages:
    """The stages of the object in the file."""
    special, rules = read_added_tokens(path, item(path, value, "added_tokens", list, []))
    cuts = read_pre_tokenizer(path, item(path, value, "pre_tokenizer", dict, None))
    decoder = read_decoder(path, item(path, value, "decoder", dict, None))
    model = item(path, value, "model", dict)
    tokens, merges = read_tokens(path, model)
    normalizer = item(path, value, "normalizer", dict, None)
    normalize = None if normalizer is None else read_normalizer(path, normalizer)
    normalize = None if normalize == InTurn(()) else normalize
    spellings = cuts.count(InByteAlphabet()) + rewrites(normalize).count(ByteAlphabet())
    as_bytes = (
        cuts[-1:] == [InByteAlphabet()] and spellings == 1 and decoder == FromByteAlphabet()
        and tokens is not None and works_on_bytes(model, tokens)
    )
    if as_bytes:
        cuts, decoder = cuts[:-1], Join()
    alone = guarded(special, rules, spellings > 0)
    return Stages(
        model=read_unigram(path, model, alone) if tokens is None
        else read_model(path, model, tokens, merges, as_bytes, special, alone),
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


def works_on_bytes(model: dict[str, Any], tokens: FileTokens) -> bool:
    """Is it BPE whose tokens, spelled in the byte alphabet, are byte strings and nothing else?"""
    marks = model.get("continuing_subword_prefix"), model.get("end_of_word_suffix")
    if model.get("type", "BPE") != "BPE" or any(marks):
        return False
    unknown = None in tokens.ids_of([*CHARACTER_OF_BYTE.values()])
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


def read_tokens(
    path: Path, value: dict[str, Any]
) -> tuple[FileTokens | None, np.ndarray | None]:
    """The tokens of the model, and its merges if it is BPE; None for Unigram, which has others."""
    kind = item(path, value, "type", str, "BPE")
    if kind == "Unigram":
        return None, None
    if kind not in ("BPE", "WordLevel", "WordPiece"):
        raise BrokenFileError(f"{path}: model {kind!r:.40} is not supported; expected {MODELS}")
    tokens = value.get("vocab")
    if isinstance(tokens, FileTokens):
        return tokens, value["merges"] if kind == "BPE" else None
    vocabulary = check_vocabulary(path, item(path, value, "vocab", dict))
    merges = None
    if kind == "BPE":
        prefix = item(path, value, "continuing_subword_prefix", str, "")
        merges = merge_ids(path, item(path, value, "merges", list), vocabulary, prefix)
    return FileTokens.of(vocabulary), merges


def read_model(
    path: Path, value: dict[str, Any], tokens: FileTokens, merges: np.ndarray | None,
    byte_level: bool, special: dict[str, int], guarded: set[str],
) -> Any:
    """The model; `byte_level`: it works on bytes, and its tokens are in the byte alphabet."""
    ids = dict(zip(special, tokens.ids_of([*special])))
    for token, id in special.items():
        if ids[token] not in (None, id):
            raise BrokenFileError(f"{path}: {token!r} has two ids, {id} and {ids[token]}")
    clash = np.isin(tokens.ids, [id for token, id in special.items() if ids[token] is None])
    if clash.any():
        raise BrokenFileError(f"{path}: id {tokens.ids[clash].min()} belongs to two tokens")
    made = np.zeros(int(tokens.ids.max()) + 1, bool)
    if merges is not None:
        made[merges] = True
    left_out = [id for token, id in ids.items() if id is not None and token in guarded
                and (merges is None or (len(token) > 1 and not made[id]))]
    kept = ~np.isin(tokens.ids, left_out)
    spelled = tokens.as_bytes(kept) if byte_level else tokens.as_utf8()
    if spelled is None:
        raise BrokenFileError(f"{path}: two tokens of the vocabulary stand for the same bytes")
    table = tokens.by_id(spelled, kept)
    unk_token = item(path, value, "unk_token", str, None)
    unk_id = None if unk_token is None else tokens.ids_of([unk_token])[0]
    if merges is not None:
        return read_bpe(path, value, byte_level, merges, table, unk_id)
    if value["type"] == "WordLevel":
        return WordVocabulary(table, unk_id)
    prefix = item(path, value, "continuing_subword_prefix", str, "##")
    longest = item(path, value, "max_input_chars_per_word", int, 100)
    if not 0 <= longest <= 1 << 20:
        raise BrokenFileError(f"{path}: 'max_input_chars_per_word' is {longest}")
    return WordPiece(table, unk_id, prefix, longest)


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
