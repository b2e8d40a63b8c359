"""Taking values out of a JSON file that is not trusted."""

from pathlib import Path
from typing import Any

from .untrusted import BrokenFileError

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
