"""Reading tokenizer.json. The file is not trusted: whatever is wrong gives one ValueError."""

from pathlib import Path
from typing import Any

from .byte_alphabet import characters_to_bytes
from .byte_bpe import ByteBPE
from .normalizing import FORMS, InTurn, Lowercase, UnicodeForm
from .rank_files import BrokenFileError, by_id, check_vocabulary, merge_ids, read_json
from .stages import Characters, Join, JoinWords, Split, Surround
from .words import CharacterBPE, WordVocabulary

NOT_SPACE = r"\S+"
MODELS = "BPE, WordLevel"
REQUIRED: Any = object()


def item(path: Path, place: dict[str, Any], key: str, kind: Any, default: Any = REQUIRED) -> Any:
    """``place[key]`` if it has the right type; null and absent give the default."""
    value = place.get(key)
    if value is None and default is not REQUIRED:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        expected = getattr(kind, "__name__", str(kind))
        raise BrokenFileError(f"{path}: {key!r} is {value!r:.60}; expected {expected}")
    return value


def unsupported(path: Path, what: str, value: Any) -> BrokenFileError:
    return BrokenFileError(f"{path}: {what} {value!r:.80} is not supported")


def read_tokenizer_json(path: Path) -> dict[str, Any]:
    """The stages of a tokenizer.json as arguments of ``Tokenizer``."""
    value = read_json(path)
    special = {}
    for entry in item(path, value, "added_tokens", list, []):
        if not isinstance(entry, dict):
            raise BrokenFileError(f"{path}: 'added_tokens' holds {entry!r:.60}; expected objects")
        content = item(path, entry, "content", str)
        if content in special or not content:
            raise BrokenFileError(f"{path}: 'added_tokens' holds {content!r} twice or empty")
        for flag in ("single_word", "lstrip", "rstrip"):
            if item(path, entry, flag, bool, False):
                raise unsupported(path, f"added token {content!r} with", flag)
        special[content] = item(path, entry, "id", int)
    if special:
        check_vocabulary(path, special)
    cut, byte_level = read_pre_tokenizer(path, item(path, value, "pre_tokenizer", dict, None))
    decoder = item(path, value, "decoder", dict, None)
    model = item(path, value, "model", dict)
    byte_level = byte_level or (decoder or {}).get("type") == "ByteLevel"
    normalizer = item(path, value, "normalizer", dict, None)
    return {
        "model": read_model(path, model, byte_level, special),
        "normalizer": None if normalizer is None else read_normalizer(path, normalizer),
        "pre_tokenizer": cut,
        "post_processor": read_post_processor(
            path, item(path, value, "post_processor", dict, None), special
        ),
        "decoder": read_decoder(path, decoder),
        "special_tokens": special,
    }


def read_normalizer(path: Path, value: dict[str, Any], depth: int = 0) -> Any:
    kind = item(path, value, "type", str)
    if kind in FORMS:
        return UnicodeForm(kind)
    if kind == "Lowercase":
        return Lowercase()
    if kind == "Sequence" and depth < 4:
        steps = item(path, value, "normalizers", list)
        if all(isinstance(step, dict) for step in steps):
            return InTurn(tuple(read_normalizer(path, step, depth + 1) for step in steps))
    raise unsupported(path, "normalizer", kind)


def read_split(path: Path, value: dict[str, Any]) -> Split | Characters:
    """A Split stage: only the matches, or the matches and what lies between them."""
    source = item(path, item(path, value, "pattern", dict), "Regex", str).replace(r"\z", r"\Z")
    behavior = item(path, value, "behavior", str)
    invert = item(path, value, "invert", bool, False)
    if source == r"[\s\S]":
        return Characters()
    try:
        if (behavior, invert) == ("Removed", True):
            return Split(source)
        if behavior == "Isolated":
            return Split(source, keep_gaps=True)
    except ValueError as error:
        raise BrokenFileError(f"{path}: {error}") from None
    raise unsupported(path, "Split with behavior", behavior)


def read_pre_tokenizer(path: Path, value: dict[str, Any] | None) -> tuple[Any, bool]:
    """(stage, is the text turned into the byte alphabet?)"""
    if value is None:
        return None, False
    kind = item(path, value, "type", str)
    if kind == "ByteLevel":
        if item(path, value, "add_prefix_space", bool, True):
            raise unsupported(path, "ByteLevel with", "add_prefix_space")
        return (Split("gpt2") if item(path, value, "use_regex", bool, True) else None), True
    if kind == "Sequence":
        steps = item(path, value, "pretokenizers", list)
        types = [step.get("type") if isinstance(step, dict) else None for step in steps]
        if types in (["Split", "ByteLevel"], ["Split"]):
            byte_level = types[-1] == "ByteLevel"
            if byte_level and read_pre_tokenizer(path, steps[1])[0] is not None:
                raise unsupported(path, "pre_tokenizer", "two splits in turn")
            return read_split(path, steps[0]), byte_level
        raise unsupported(path, "pre_tokenizer sequence", types)
    if kind == "Split":
        return read_split(path, value), False
    if kind == "WhitespaceSplit":
        return Split(NOT_SPACE), False
    if kind == "Whitespace":
        return Split(r"\w+|[^\w\s]+"), False
    raise unsupported(path, "pre_tokenizer", kind)


def read_post_processor(
    path: Path, value: dict[str, Any] | None, special: dict[str, int]
) -> Surround | None:
    if value is None:
        return None
    kind = item(path, value, "type", str)
    if kind == "ByteLevel":
        return None
    if kind == "Sequence":
        found = [
            read_post_processor(path, step, special)
            for step in item(path, value, "processors", list)
            if isinstance(step, dict) and step.get("type") != "Sequence"
        ]
        stages = [stage for stage in found if stage is not None]
        if len(stages) <= 1:
            return stages[0] if stages else None
    if kind == "TemplateProcessing":
        sides: tuple[list[int], list[int]] = ([], [])
        side = 0
        for step in item(path, value, "single", list):
            if not isinstance(step, dict):
                raise unsupported(path, "TemplateProcessing step", step)
            name = item(path, item(path, step, "SpecialToken", dict, {}), "id", str, None)
            if "Sequence" in step and side == 0:
                side = 1
            elif name in special:
                sides[side].append(special[name])
            else:
                raise unsupported(path, "TemplateProcessing step", step)
        return Surround(tuple(sides[0]), tuple(sides[1])) if sides[0] or sides[1] else None
    raise unsupported(path, "post_processor", kind)


def read_decoder(path: Path, value: dict[str, Any] | None) -> Join | JoinWords:
    kind = None if value is None else item(path, value, "type", str)
    if value is not None and kind == "BPEDecoder":
        return JoinWords(item(path, value, "suffix", str, "</w>"))
    if kind in (None, "ByteLevel", "Fuse"):
        return Join()
    raise unsupported(path, "decoder", kind)


def read_model(path: Path, value: dict[str, Any], byte_level: bool, special: dict[str, int]) -> Any:
    kind = item(path, value, "type", str, "BPE")
    vocabulary = check_vocabulary(path, item(path, value, "vocab", dict))
    for token, id in special.items():
        if vocabulary.get(token, id) != id:
            raise BrokenFileError(f"{path}: {token!r} has two ids, {id} and {vocabulary[token]}")
    ordinary = {token: id for token, id in vocabulary.items() if token not in special}
    clash = set(ordinary.values()) & set(special.values())
    if clash:
        raise BrokenFileError(f"{path}: id {min(clash)} belongs to two tokens")
    unk_token = item(path, value, "unk_token", str, None)
    unk_id = None if unk_token is None else vocabulary.get(unk_token, special.get(unk_token))
    as_bytes = characters_to_bytes if byte_level else str.encode
    tokens = {as_bytes(token): id for token, id in ordinary.items()}
    if len(tokens) < len(ordinary):
        raise BrokenFileError(f"{path}: two tokens of the vocabulary stand for the same bytes")
    table = by_id(tokens) if tokens else []
    if kind == "WordLevel":
        return WordVocabulary(table, unk_id)
    if kind != "BPE":
        raise BrokenFileError(f"{path}: model {kind!r:.40} is not supported; expected {MODELS}")
    for option in ("continuing_subword_prefix", "byte_fallback", "fuse_unk"):
        if value.get(option):
            raise unsupported(path, "BPE with", option)
    merges = merge_ids(path, item(path, value, "merges", list), vocabulary)
    dropout = float(item(path, value, "dropout", int | float, 0.0))
    whole = item(path, value, "ignore_merges", bool, False)
    suffix = item(path, value, "end_of_word_suffix", str, "")
    if byte_level:
        if suffix:
            raise unsupported(path, "byte-level BPE with", "end_of_word_suffix")
        return ByteBPE(table, merges, whole_pieces=whole, dropout=dropout)
    if whole:
        raise unsupported(path, "BPE of characters with", "ignore_merges")
    return CharacterBPE(table, merges, unk_id, suffix, dropout)
