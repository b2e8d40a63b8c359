"""Options of a command from a file: TOML or JSON, the names of its flags without the dashes."""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import Any

import click


def read_config(context: click.Context, option: click.Parameter, path: str | None) -> None:
    """Make what a file says the defaults of the running command; what is typed goes before it."""
    if path is None:
        return
    text = Path(path).read_text("utf-8")
    try:
        found = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except ValueError as problem:
        raise ValueError(f"{path} is not {'JSON' if path.endswith('.json') else 'TOML'}: "
                         f"{problem}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no names with values")
    known = {p.name: p for p in context.command.params
             if isinstance(p, click.Option) and p.name not in (option.name, "help")}
    chosen: dict[str, Any] = {}
    for key, value in found.items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ValueError(f"{path} has the unknown key {key!r}"
                             + (f"; did you mean {near[0]!r}?" if near else
                                f"; known are {', '.join(map(str, known))}"))
        try:
            known[name].type_cast_value(context, value)  # as if it had been typed
        except (click.BadParameter, TypeError, ValueError) as problem:
            raise ValueError(f"{path}: {key} = {value!r}: {problem}") from None
        if isinstance(value, (dict, list)) or \
                isinstance(value, bool) != isinstance(known[name].type, click.types.BoolParamType):
            raise ValueError(f"{path}: {key} = {value!r} is not of the kind that --"
                             f"{name.replace('_', '-')} takes")
        chosen[name] = value
    context.default_map = {**(context.default_map or {}), **chosen}
