"""The stages around the model as tokenizer.json writes them."""

import base64
from typing import Any

from ..counting.vocabulary_room import NOT_SPACE
from ..decoders.joining import Join, JoinMarked
from ..decoders.rewriting import DecodeInTurn, FromByteAlphabet, JoinSpaced, ReplaceIn
from ..normalizers.charsmap import Precompiled
from ..normalizers.rewriting import InTurn, Replace
from ..normalizers.unicode_forms import UnicodeForm
from ..patterns.named_rules import PATTERNS, same_meaning, tree_of
from ..patterns.tree import Atomic, Chain, Choice, Edge, Look, Node, Repeat
from ..patterns.writing import write_pattern
from ..post_processors.lengths import Padding, Truncation
from ..post_processors.templates import Part, ProcessInTurn, Template, TrimOffsets
from ..pre_tokenizers.behaviors import Cut
from ..pre_tokenizers.in_turn import InByteAlphabet, PrefixSpace, flat
from ..pre_tokenizers.metaspace import Metaspace
from ..pre_tokenizers.split_rules import Characters, Split
from ..vocabulary import Vocabulary
from .json_fields import DECODERS, NORMALIZERS, PRE_TOKENIZERS, write_fields
from .json_stages_reading import WORDS_AND_MARKS

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
EVERY_CHARACTER = r"[\s\S]"
Json = dict[str, Any]


def cannot_write(stage: str, value: Any) -> ValueError:
    """The error for a stage that these files do not know."""
    return ValueError(f"{stage}={value!r:.80} cannot be written to a tokenizer.json")


def regex_json(pattern: str, dialect: str) -> Json:
    """A pattern in the dialect of these files, as it is where it means the same there."""
    if dialect != "oniguruma" and looks_around_behind(tree_of(pattern, dialect)):
        raise ValueError(f"pattern={pattern!r:.200} has a lookbehind with a word edge, a lookahead "
                         "or an end of the text in it, which the readers of a tokenizer.json "
                         "refuse; write the pattern without, for instance (?<!\\w) for \\b")
    if pattern in PATTERNS or not (dialect == "oniguruma" or same_meaning(pattern)):
        pattern = write_pattern(tree_of(pattern, dialect), "oniguruma")
    return {"Regex": pattern}


def looks_around_behind(node: Node, behind: bool = False) -> bool:
    """Whether a lookbehind holds what Oniguruma allows in none: it may look behind, if wanted."""
    if isinstance(node, Look):
        if behind and (node.ahead or not node.wanted):
            return True
        return looks_around_behind(node.part, behind or not node.ahead)
    if isinstance(node, Edge):
        return behind and not node.start
    if isinstance(node, Chain | Choice):
        parts = node.parts if isinstance(node, Chain) else node.options
        return any(looks_around_behind(part, behind) for part in parts)
    return isinstance(node, Repeat | Atomic) and looks_around_behind(node.part, behind)


def normalizer_json(stage: Any) -> Json:
    """The normalizer as an object."""
    if isinstance(stage, UnicodeForm):
        return {"type": stage.form}
    if isinstance(stage, Replace):
        return replace_json(stage)
    if isinstance(stage, Precompiled):
        table = base64.b64encode(stage.charsmap).decode()
        return {"type": "Precompiled", "precompiled_charsmap": table}
    if isinstance(stage, InTurn):
        return {"type": "Sequence", "normalizers": [normalizer_json(n) for n in stage.steps]}
    if written := write_fields(stage, NORMALIZERS):
        return written
    raise cannot_write("normalizer", stage)


def replace_json(stage: Replace) -> Json:
    """A Replace, among normalizers or decoders."""
    pattern = regex_json(stage.pattern, stage.dialect)
    return {"type": "Replace", "pattern": pattern, "content": stage.content}


def split_json(pattern: Json, behavior: str, invert: bool) -> Json:
    """A Split as an object."""
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
    if isinstance(stage, Metaspace):
        return {
            "type": "Metaspace", "replacement": stage.mark, "prepend_scheme": stage.scheme,
            "split": stage.split,
        }
    if written := write_fields(stage, PRE_TOKENIZERS):
        return written
    raise cannot_write("pre_tokenizer", stage)


def pre_tokenizer_json(stage: Any, byte_level: bool) -> Json | None:
    """The stage as one object or a Sequence; `byte_level`: the model works on bytes."""
    steps = flat((stage,)) if stage is not None else []
    if byte_level:
        steps.append(InByteAlphabet())
    made: list[Json] = []
    waiting: list[Any] = []
    for step in steps:
        if not isinstance(step, InByteAlphabet):
            waiting.append(step)
            continue
        cuts = bool(waiting) and getattr(waiting[-1], "rule", None) == "gpt2"
        before = waiting[: len(waiting) - cuts]
        prefixed = bool(before) and isinstance(before[-1], PrefixSpace)
        made += map(cut_json, before[: len(before) - prefixed])
        made.append({**BYTE_LEVEL, "add_prefix_space": prefixed, "use_regex": cuts})
        waiting = []
    made += map(cut_json, waiting)
    if len(made) <= 1:
        return made[0] if made else None
    return {"type": "Sequence", "pretokenizers": made}


def post_processor_json(tok: Vocabulary, byte_level: bool) -> Json | None:
    """The post-processor as one object or a Sequence."""
    stage = tok.post_processor
    if stage is None:
        return {**BYTE_LEVEL, "use_regex": True} if byte_level else None
    if isinstance(stage, ProcessInTurn):
        return {
            "type": "Sequence", "processors": [processor_json(tok, step) for step in stage.steps]
        }
    return processor_json(tok, stage)


def processor_json(tok: Vocabulary, stage: Any) -> Json:
    """One post-processor."""
    if isinstance(stage, TrimOffsets):
        return {
            "type": "ByteLevel", "add_prefix_space": stage.prefix_space, "trim_offsets": True,
            "use_regex": True,
        }
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


def truncation_json(value: Truncation | None) -> Json | None:
    """To which length ids are cut."""
    return None if value is None else {
        "direction": value.direction.title(), "max_length": value.max_length,
        "strategy": value.strategy.title().replace("_", ""), "stride": value.stride,
    }


def padding_json(value: Padding | None) -> Json | None:
    """To which length ids are padded."""
    return None if value is None else {
        "strategy": "BatchLongest" if value.length is None else {"Fixed": value.length},
        "direction": value.direction.title(), "pad_to_multiple_of": value.pad_to_multiple_of,
        "pad_id": value.pad_id, "pad_type_id": value.pad_type_id, "pad_token": value.pad_token,
    }


def decoder_json(stage: Any, byte_level: bool) -> Json | None:
    """The decoder as an object; `byte_level`: the model works on bytes."""
    if isinstance(stage, JoinSpaced):
        return None
    if isinstance(stage, FromByteAlphabet) or (isinstance(stage, Join) and byte_level):
        return {**BYTE_LEVEL, "use_regex": True}
    if isinstance(stage, JoinMarked):
        return {
            "type": "Metaspace", "replacement": stage.mark, "prepend_scheme": stage.scheme,
            "split": True,
        }
    if isinstance(stage, ReplaceIn):
        return replace_json(stage.rule)
    if isinstance(stage, DecodeInTurn):
        return {"type": "Sequence", "decoders": [decoder_json(d, False) for d in stage.decoders]}
    if written := write_fields(stage, DECODERS):
        return written
    raise cannot_write("decoder", stage)
