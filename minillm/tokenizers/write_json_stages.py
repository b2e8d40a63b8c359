"""The stages around the model as tokenizer.json writes them."""

import base64
from typing import TYPE_CHECKING, Any

from .bert import BertNormalizer, BertSplit
from .cutting import Cut, CutInTurn, PrefixSpace
from .decoding import ByteTokens, DecodeInTurn, JoinSpaced, ReplaceIn, StripFrom
from .metaspace import JoinMarked, Metaspace
from .normalizing import InTurn, Lowercase, Prepend, Replace, Strip, StripAccents, UnicodeForm
from .pattern_writing import write_pattern
from .precompiled import Precompiled
from .read_json_stages import WORDS_AND_MARKS
from .splitting import PATTERNS, same_meaning, tree_of
from .stages import Characters, Join, JoinWords, Split
from .templates import Part, Template
from .training import NOT_SPACE
from .wordpiece import JoinWordPieces

if TYPE_CHECKING:
    from .tokenizer import Tokenizer

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
EVERY_CHARACTER = r"[\s\S]"
Json = dict[str, Any]


def cannot_write(stage: str, value: Any) -> ValueError:
    return ValueError(f"{stage}={value!r:.80} cannot be written to a tokenizer.json")


def regex_json(pattern: str, dialect: str) -> Json:
    """A pattern in the dialect of these files, as it is where it means the same there."""
    if pattern in PATTERNS or not (dialect == "oniguruma" or same_meaning(pattern)):
        pattern = write_pattern(tree_of(pattern, dialect), "oniguruma")
    return {"Regex": pattern}


def normalizer_json(stage: Any) -> Json:
    if isinstance(stage, UnicodeForm):
        return {"type": stage.form}
    if isinstance(stage, Lowercase | StripAccents):
        return {"type": type(stage).__name__}
    if isinstance(stage, BertNormalizer):
        return {
            "type": "BertNormalizer", "clean_text": stage.clean_text,
            "handle_chinese_chars": stage.chinese_characters,
            "strip_accents": stage.strip_accents, "lowercase": stage.lowercase,
        }
    if isinstance(stage, Strip):
        return {"type": "Strip", "strip_left": stage.left, "strip_right": stage.right}
    if isinstance(stage, Replace):
        return replace_json(stage)
    if isinstance(stage, Prepend):
        return {"type": "Prepend", "prepend": stage.prefix}
    if isinstance(stage, Precompiled):
        table = base64.b64encode(stage.charsmap).decode()
        return {"type": "Precompiled", "precompiled_charsmap": table}
    if isinstance(stage, InTurn):
        return {"type": "Sequence", "normalizers": [normalizer_json(n) for n in stage.steps]}
    raise cannot_write("normalizer", stage)


def replace_json(stage: Replace) -> Json:
    pattern = regex_json(stage.pattern, stage.dialect)
    return {"type": "Replace", "pattern": pattern, "content": stage.content}


def split_json(pattern: Json, behavior: str, invert: bool) -> Json:
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def cut_json(stage: Any) -> Json:
    """One pre-tokenizer that is not in the byte alphabet."""
    if isinstance(stage, Split):
        if stage == Split(NOT_SPACE):
            return {"type": "WhitespaceSplit"}
        if stage == Split(WORDS_AND_MARKS):
            return {"type": "Whitespace"}
        drops = stage.gaps == "drop" and stage.rule is None  # the named rules leave no gaps
        behavior, invert = ("Removed", True) if drops else ("Isolated", False)
        return split_json(regex_json(stage.pattern, stage.dialect), behavior, invert)
    if isinstance(stage, Characters):
        return split_json({"Regex": EVERY_CHARACTER}, "Isolated", False)
    if isinstance(stage, Cut):
        pattern = regex_json(stage.pattern, stage.dialect)
        return split_json(pattern, stage.behavior, stage.invert)
    if isinstance(stage, BertSplit):
        return {"type": "BertPreTokenizer"}
    if isinstance(stage, Metaspace):
        return {
            "type": "Metaspace", "replacement": stage.mark, "prepend_scheme": stage.scheme,
            "split": stage.split,
        }
    raise cannot_write("pre_tokenizer", stage)


def pre_tokenizer_json(stage: Any, byte_level: bool) -> Json | None:
    steps = list(stage.steps) if isinstance(stage, CutInTurn) else [stage] * (stage is not None)
    if not byte_level:
        made = [cut_json(step) for step in steps]
    else:
        last = {**BYTE_LEVEL, "use_regex": bool(steps) and is_gpt2(steps[-1])}
        if last["use_regex"]:
            steps.pop()
        if steps and isinstance(steps[-1], PrefixSpace):
            last["add_prefix_space"] = True
            steps.pop()
        made = [*(cut_json(step) for step in steps), last]
    if len(made) <= 1:
        return made[0] if made else None
    return {"type": "Sequence", "pretokenizers": made}


def is_gpt2(stage: Any) -> bool:
    return isinstance(stage, Split) and stage.rule == "gpt2"


def post_processor_json(tok: "Tokenizer", byte_level: bool) -> Json | None:
    stage = tok.post_processor
    if stage is None:
        return {**BYTE_LEVEL, "use_regex": True} if byte_level else None
    if not isinstance(stage, Template):
        raise cannot_write("post_processor", stage)
    named = {id: token for token, id in tok.special_tokens.items()}
    names = {
        id: named.get(id) or tok.id_to_token(id)
        for id, _ in (*stage.single, *stage.pair) if isinstance(id, int)
    }

    def part_json(part: Part) -> Json:
        what, kind = part
        if isinstance(what, str):
            return {"Sequence": {"id": what, "type_id": kind}}
        return {"SpecialToken": {"id": names[what], "type_id": kind}}

    return {
        "type": "TemplateProcessing",
        "single": [part_json(part) for part in stage.single],
        "pair": [part_json(part) for part in stage.pair],
        "special_tokens": {
            name: {"id": name, "ids": [id], "tokens": [name]} for id, name in names.items()
        },
    }


def decoder_json(stage: Any, byte_level: bool) -> Json | None:
    if isinstance(stage, JoinSpaced):
        return None
    if isinstance(stage, Join):
        return {**BYTE_LEVEL, "use_regex": True} if byte_level else {"type": "Fuse"}
    if isinstance(stage, JoinWords):
        return {"type": "BPEDecoder", "suffix": stage.suffix}
    if isinstance(stage, JoinWordPieces):
        return {"type": "WordPiece", "prefix": stage.prefix, "cleanup": stage.cleanup}
    if isinstance(stage, JoinMarked):
        return {
            "type": "Metaspace", "replacement": stage.mark, "prepend_scheme": stage.scheme,
            "split": True,
        }
    if isinstance(stage, ByteTokens):
        return {"type": "ByteFallback"}
    if isinstance(stage, ReplaceIn):
        return replace_json(stage.rule)
    if isinstance(stage, StripFrom):
        return {
            "type": "Strip", "content": stage.content, "start": stage.start, "stop": stage.stop
        }
    if isinstance(stage, DecodeInTurn):
        return {"type": "Sequence", "decoders": [decoder_json(d, False) for d in stage.decoders]}
    raise cannot_write("decoder", stage)
