"""TODO."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def check_vocab_size(vocab_size: Any, least: int, because: str) -> None:
    if not isinstance(vocab_size, int | np.integer) or vocab_size < least:
        raise ValueError(f"vocab_size={vocab_size!r} is too small; at least {least} ({because})")


def without_specials(tokens: Sequence[bytes | None], specials: list[str]) -> list[bytes | None]:
    """The vocabulary of the model: special tokens have ids, but no text may turn into them."""
    return [None] * len(specials) + list(tokens[len(specials) :])


def unknown_id(specials: list[str], unk_token: str | None) -> int | None:
    return None if unk_token is None else specials.index(unk_token)


def with_unknown(special_tokens: Sequence[str], unk_token: str | None) -> list[str]:
    specials = list(special_tokens)
    if unk_token is not None and unk_token not in specials:
        specials.append(unk_token)
    return specials


Texts = Iterable[str | Path]


NOT_SPACE = r"\S+"
