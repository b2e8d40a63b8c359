"""What every trainer asks: is there room for the vocabulary, and which ids do tokens get?"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Texts = Iterable[str | Path]
NOT_SPACE = r"\S+"


def check_vocab_size(vocab_size: Any, least: int, because: str) -> None:
    """Raise a ValueError that says why `least` ids are needed, if there are to be fewer."""
    if not isinstance(vocab_size, int | np.integer) or vocab_size < least:
        raise ValueError(f"vocab_size={vocab_size!r} is too small; at least {least} ({because})")


def with_unknown(special_tokens: Sequence[str], unk_token: str | None) -> list[str]:
    """The special tokens, with the unknown token among them."""
    specials = list(special_tokens)
    if unk_token is not None and unk_token not in specials:
        specials.append(unk_token)
    return specials


def unknown_id(specials: list[str], unk_token: str | None) -> int | None:
    """The id of the unknown token, None without one."""
    return None if unk_token is None else specials.index(unk_token)


def numbered(specials: Sequence[str], first: int = 0) -> dict[str, int]:
    """The special tokens with their ids, from `first` on."""
    return {token: first + k for k, token in enumerate(specials)}


def without_specials(tokens: Sequence[bytes | None], specials: list[str]) -> list[bytes | None]:
    """The vocabulary of the model: special tokens have ids, but no text may turn into them."""
    return [None] * len(specials) + list(tokens[len(specials) :])


def most_frequent(counts: Counter[str], room: int) -> list[str]:
    """The `room` most frequent strings; among equals the smaller string."""
    return sorted(counts, key=lambda token: (-counts[token], token))[:room]
