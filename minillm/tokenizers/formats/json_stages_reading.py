"""Reading the stages around the model from a tokenizer.json, truncation and padding too."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..counting.vocabulary_room import NOT_SPACE
from ..decoders.joining import JoinMarked
from ..decoders.rewriting import DecodeInTurn, JoinSpaced, ReplaceIn
from ..normalizers.charsmap import Precompiled
from ..normalizers.rewriting import InTurn, Replace
from ..normalizers.unicode_forms import FORMS, UnicodeForm
from ..patterns.named_rules import same_meaning
from ..post_processors.lengths import STRATEGIES, Padding, Truncation
from ..post_processors.templates import Part, ProcessInTurn, Template, TrimOffsets
from ..pre_tokenizers.behaviors import Cut, digits, punctuation
from ..pre_tokenizers.in_turn import CutInTurn, InByteAlphabet, PrefixSpace
from ..pre_tokenizers.metaspace import Metaspace
from ..pre_tokenizers.split_rules import Characters, Split
from .json_fields import DECODERS, NORMALIZERS, PRE_TOKENIZERS, read_fields
from .untrusted import MAX_ID, BrokenFileError, item, unsupported

WORDS_AND_MARKS = r"\w+|[^\w\s]+"
DEEPEST = 4  # sequences inside sequences


def steps_of(path: Path, value: dict[str, Any], key: str, depth: int) -> list[dict[str, Any]]:
    """The objects of a Sequence."""
    steps = item(path, value, key, list)
    if depth >= DEEPEST or not all(isinstance(step, dict) for step in steps):
        raise unsupported(path, f"Sequence of {key}", steps)
    return steps


def pattern_of(path: Path, value: dict[str, Any]) -> tuple[str, str]:
    """The regular expression of a Split or Replace and its dialect, see ``patterns.reading``."""
    place = item(path, value, "pattern", dict)
    text = item(path, place, "String", str, None)
    source = item(path, place, "Regex", str) if text is None else re.escape(text)
    return source, "fancy" if same_meaning(source) else "oniguruma"


def read_normalizer(path: Path, value: dict[str, Any], depth: int = 0) -> Any:
    """The normalizer of a file; a Sequence holds several."""
    kind = item(path, value, "type", str)
    if kind in FORMS:
        return UnicodeForm(kind)
    if kind == "Replace":
        return read_replace(path, value)
    if kind == "Precompiled":
        return read_precompiled(path, item(path, value, "precompiled_charsmap", str))
    if kind == "Sequence":
        steps = steps_of(path, value, "normalizers", depth)
        return InTurn(tuple(read_normalizer(path, step, depth + 1) for step in steps))
    if (stage := read_fields(path, value, NORMALIZERS)) is not None:
        return stage
    raise unsupported(path, "normalizer", kind)


def read_replace(path: Path, value: dict[str, Any]) -> Replace:
    """A Replace, among normalizers or decoders."""
    (source, dialect), content = pattern_of(path, value), item(path, value, "content", str)
    return cut(path, lambda: Replace(source, content, dialect))


def read_precompiled(path: Path, text: str) -> Any:
    """SentencePiece's table as Hugging Face's library applies it."""
    try:
        return Precompiled(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise BrokenFileError(f"{path}: 'precompiled_charsmap' is broken: {error}") from None


def read_pre_tokenizer(path: Path, value: dict[str, Any] | None) -> list[Any]:
    """The plain pre-tokenizers, in the order in which they cut."""
    steps = flat_steps(path, value, 0) if value is not None else []
    return [stage for step in steps for stage in read_cut(path, step)]


def in_turn(stages: list[Any]) -> Any:
    """One stage for several, for one or for none."""
    return CutInTurn(tuple(stages)) if len(stages) > 1 else stages[0] if stages else None


def flat_steps(path: Path, value: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    """The steps of a sequence, and of those in it, each of them plain."""
    if item(path, value, "type", str) != "Sequence":
        return [value]
    steps = steps_of(path, value, "pretokenizers", depth)
    return [plain for step in steps for plain in flat_steps(path, step, depth + 1)]


def read_cut(path: Path, value: dict[str, Any]) -> list[Any]:
    """One pre-tokenizer of a file, which may be several here."""
    kind = value["type"]
    if kind == "ByteLevel":
        prefix = [PrefixSpace()] * item(path, value, "add_prefix_space", bool, True)
        rule = [Split("gpt2", "refuse")] * item(path, value, "use_regex", bool, True)
        return [*prefix, *rule, InByteAlphabet()]
    if kind == "Split":
        return [read_split(path, value)]
    if kind == "Metaspace":
        return [read_metaspace(path, value, Metaspace)]
    if kind == "Digits":
        return [digits(item(path, value, "individual_digits", bool, False))]
    if kind == "Punctuation":
        return [cut(path, lambda: punctuation(item(path, value, "behavior", str, "Isolated")))]
    if kind == "CharDelimiterSplit":
        return [Cut(re.escape(item(path, value, "delimiter", str)), "Removed")]
    if kind in ("WhitespaceSplit", "Whitespace"):
        return [Split(NOT_SPACE if kind == "WhitespaceSplit" else WORDS_AND_MARKS)]
    if (stage := read_fields(path, value, PRE_TOKENIZERS)) is not None:
        return [stage]
    raise unsupported(path, "pre_tokenizer", kind)


def cut(path: Path, make: Callable[[], Any]) -> Any:
    """What `make` gives; a wrong pattern or behavior is the file's fault."""
    try:
        return make()
    except ValueError as error:
        raise BrokenFileError(f"{path}: {error}") from None


def read_split(path: Path, value: dict[str, Any]) -> Any:
    """A Split; its commonest behaviors have stages of their own here."""
    source, dialect = pattern_of(path, value)
    behavior = item(path, value, "behavior", str)
    invert = item(path, value, "invert", bool, False)
    if source == r"[\s\S]" and behavior == "Isolated":
        return Characters()
    if (behavior, invert) == ("Removed", True):
        return cut(path, lambda: Split(source, dialect=dialect))
    if (behavior, invert) == ("Isolated", False):
        return cut(path, lambda: Split(source, "keep", dialect))
    return cut(path, lambda: Cut(source, behavior, invert, dialect))


def read_metaspace(path: Path, value: dict[str, Any], kind: Any) -> Any:
    """A Metaspace, or JoinMarked, its decoder; older files say ``add_prefix_space``."""
    old = item(path, value, "add_prefix_space", bool, True)
    scheme = item(path, value, "prepend_scheme", str, "always" if old else "never")
    mark = item(path, value, "replacement", str)
    if kind is JoinMarked:
        return cut(path, lambda: JoinMarked(mark, Metaspace(mark, scheme).scheme))
    split = item(path, value, "split", bool, True)
    return cut(path, lambda: Metaspace(mark, scheme, split))


def read_decoder(path: Path, value: dict[str, Any] | None, depth: int = 0) -> Any:
    """The decoder of a file; without one, spaces go between tokens."""
    kind = None if value is None else item(path, value, "type", str)
    if value is None:
        return JoinSpaced()
    if kind == "Metaspace":
        return read_metaspace(path, value, JoinMarked)
    if kind == "Replace":
        return ReplaceIn(read_replace(path, value))
    if kind == "Strip":
        content = item(path, value, "content", str)
        if len(content) != 1:
            raise unsupported(path, "decoder Strip with the content", content)
    if kind == "Sequence":
        steps = steps_of(path, value, "decoders", depth)
        return DecodeInTurn(tuple(read_decoder(path, step, depth + 1) for step in steps))
    if (stage := read_fields(path, value, DECODERS)) is not None:
        return stage
    raise unsupported(path, "decoder", kind)


def read_post_processor(
    path: Path, value: dict[str, Any] | None, special: dict[str, int]
) -> Any:
    """A Template, spans without the spaces around tokens, or both in turn."""
    stages = read_processors(path, value, special, 0) if value is not None else []
    if sum(isinstance(stage, Template) for stage in stages) > 1:
        raise unsupported(path, "post_processor with several templates", value)
    return ProcessInTurn(tuple(stages)) if len(stages) > 1 else stages[0] if stages else None


def read_processors(
    path: Path, value: dict[str, Any], special: dict[str, int], depth: int
) -> list[Template | TrimOffsets]:
    """The plain post-processors, in their order."""
    kind = item(path, value, "type", str)
    if kind == "Sequence":
        steps = steps_of(path, value, "processors", depth)
        found = [read_processors(path, step, special, depth + 1) for step in steps]
        return [stage for stages in found for stage in stages]
    trims = kind in ("ByteLevel", "RobertaProcessing") and item(
        path, value, "trim_offsets", bool, True
    )
    before = [TrimOffsets(item(path, value, "add_prefix_space", bool, True))] if trims else []
    if kind == "ByteLevel":
        return [*before]
    if kind == "TemplateProcessing":
        single = read_parts(path, item(path, value, "single", list), value, special)
        pair = read_parts(path, item(path, value, "pair", list, []), value, special)
        return [Template(single, pair or Template.pair)]
    if kind in ("BertProcessing", "RobertaProcessing"):
        start, end = (known_id(path, value, key, special) for key in ("cls", "sep"))
        single = ((start, 0), ("A", 0), (end, 0))
        if kind == "BertProcessing":
            return [Template(single, (*single, ("B", 1), (end, 1)))]
        return [*before, Template(single, (*single, (end, 0), ("B", 0), (end, 0)))]
    raise unsupported(path, "post_processor", kind)


def read_truncation(path: Path, value: dict[str, Any] | None) -> Truncation | None:
    """To which length ids are cut, None for none."""
    if value is None:
        return None
    names = {name.title().replace("_", ""): name for name in STRATEGIES}
    strategy = item(path, value, "strategy", str)
    if strategy not in names:
        raise unsupported(path, "truncation strategy", strategy)
    direction = item(path, value, "direction", str, "Right")
    return cut(path, lambda: Truncation(
        item(path, value, "max_length", int), item(path, value, "stride", int), names[strategy],
        side(path, direction),
    ))


def read_padding(path: Path, value: dict[str, Any] | None) -> Padding | None:
    """To which length ids are padded, None for none."""
    if value is None:
        return None
    strategy, length = value.get("strategy"), None
    if strategy != "BatchLongest":
        length = item(path, item(path, value, "strategy", dict), "Fixed", int)
    pad_id = item(path, value, "pad_id", int)
    if max(pad_id, length or 0, item(path, value, "pad_to_multiple_of", int, 0)) > MAX_ID:
        raise unsupported(path, "padding", value)
    return cut(path, lambda: Padding(
        length, side(path, item(path, value, "direction", str)),
        item(path, value, "pad_to_multiple_of", int, None), pad_id,
        item(path, value, "pad_type_id", int), item(path, value, "pad_token", str),
    ))


def side(path: Path, direction: str) -> str:
    """``"left"`` or ``"right"``."""
    if direction not in ("Left", "Right"):
        raise unsupported(path, "direction", direction)
    return direction.lower()


def known_id(path: Path, value: dict[str, Any], key: str, special: dict[str, int]) -> int:
    """The id in a pair [content, id]."""
    pair = item(path, value, key, list)
    if len(pair) != 2 or type(pair[1]) is not int or pair[1] not in special.values():
        raise BrokenFileError(f"{path}: {key!r} is {pair!r:.60}; expected a special token")
    return pair[1]


def read_parts(
    path: Path, steps: list[Any], value: dict[str, Any], special: dict[str, int]
) -> tuple[Part, ...]:
    """One side of a TemplateProcessing."""
    table = item(path, value, "special_tokens", dict, {})
    parts: list[Part] = []
    for step in steps:
        if not isinstance(step, dict) or len(step) != 1:
            raise unsupported(path, "TemplateProcessing step", step)
        (what,) = step
        place = item(path, step, what, dict)
        name, kind = item(path, place, "id", str), item(path, place, "type_id", int, 0)
        if not 0 <= kind < 1 << 31:
            raise BrokenFileError(f"{path}: 'type_id' is {kind}; expected 0 or more")
        if what == "Sequence" and name in ("A", "B"):
            parts.append((name, kind))
        elif what == "SpecialToken":
            entry = item(path, table, name, dict, {"ids": [special.get(name)]})
            ids = item(path, entry, "ids", list)
            if not all(type(id) is int and id in special.values() for id in ids):
                raise unsupported(path, "TemplateProcessing with the token", name)
            parts += [(id, kind) for id in ids]
        else:
            raise unsupported(path, "TemplateProcessing step", step)
    return tuple(parts)
