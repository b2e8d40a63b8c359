"""Reading what is done to the ids of a text: post-processors, truncation and padding."""

from pathlib import Path
from typing import Any

from ..post_processors.lengths import STRATEGIES, Padding, Truncation
from ..post_processors.templates import Part, ProcessInTurn, Template, TrimOffsets
from .json_stages_reading import cut, steps_of
from .untrusted import MAX_ID, BrokenFileError, item, unsupported


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
