"""How many tokens a text may have, and may not fall short of: truncation and padding.

The rules are those of Hugging Face's library, whose files hold both.
"""

from dataclasses import dataclass

import numpy as np

from .templates import Row

DIRECTIONS = ("right", "left")
STRATEGIES = ("longest_first", "only_first", "only_second")


def check(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise the ValueError that lists what is known."""
    if value not in known:
        raise ValueError(f"{name}={value!r}; use one of {', '.join(known)}")


def check_number(name: str, value: int) -> None:
    """Raise a ValueError unless it is a whole number from 0 on that an int32 holds."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not 0 <= value < 1 << 31:
        raise ValueError(f"{name}={value!r:.40}; expected a whole number of at least 0")


@dataclass(frozen=True)
class Truncation:
    """At most `max_length` tokens, those of the post-processor among them.

    direction: at which end tokens are left out. strategy: from which text of a pair: the
    ``longest_first``, ``only_first`` or ``only_second``. stride: how many tokens the parts of a
    text that is cut up have in common; what is left out of a text is its second part.
    """

    max_length: int
    stride: int = 0
    strategy: str = "longest_first"
    direction: str = "right"

    def __post_init__(self) -> None:
        check("strategy", self.strategy, STRATEGIES)
        check("direction", self.direction, DIRECTIONS)
        for name in ("max_length", "stride"):
            check_number(name, getattr(self, name))

    def keep(self, lengths: list[int], added: int) -> list[slice]:
        """Which tokens of a text, or of two, are kept, where `added` tokens come on top."""
        room = self.max_length - added
        if sum(lengths) <= room:
            return [slice(None)] * len(lengths)
        if room < 0:
            raise ValueError(
                f"max_length={self.max_length} has no room for the {added} special tokens that the "
                "post-processor adds; truncate to more tokens"
            )
        kept = self.shares(lengths, room) if room else [0] * len(lengths)
        return [self.ends(length, size) for length, size in zip(lengths, kept)]

    def shares(self, lengths: list[int], room: int) -> list[int]:
        """How many tokens of each text remain."""
        excess = sum(lengths) - room
        if self.strategy != "longest_first":
            which = STRATEGIES.index(self.strategy) - 1
            if which >= len(lengths):
                raise ValueError(f"strategy={self.strategy!r} needs a pair of texts; pass a second")
            if lengths[which] <= excess:
                raise ValueError(
                    f"strategy={self.strategy!r} cannot leave out {excess} of the "
                    f"{lengths[which]} tokens of that text; use 'longest_first'"
                )
            return [length - excess * (k == which) for k, length in enumerate(lengths)]
        if len(lengths) == 1:
            return [room]
        short = min(lengths)
        long = short if short > room else max(short, room - short)
        if short + long > room:
            short, long = room // 2, room - room // 2
        return [short, long] if lengths[0] <= lengths[1] else [long, short]

    def ends(self, length: int, size: int) -> slice:
        """`size` of `length` tokens."""
        if 0 < size < length and self.stride >= size:
            raise ValueError(
                f"stride={self.stride} is not less than the {size} tokens that are kept of a text; "
                "use a smaller stride or truncate to more tokens"
            )
        start = max(length - size, 0) if self.direction == "left" else 0
        return slice(start, start + size)


@dataclass(frozen=True)
class Padding:
    """At least `length` tokens (None: as many as the longest text of a batch has).

    pad_to_multiple_of: the length is rounded up to a multiple of it. direction: at which end the
    `pad_id` is put. The other fields say what else a padding token is.
    """

    length: int | None = None
    direction: str = "right"
    pad_to_multiple_of: int | None = None
    pad_id: int = 0
    pad_type_id: int = 0
    pad_token: str = "[PAD]"

    def __post_init__(self) -> None:
        check("direction", self.direction, DIRECTIONS)
        for name in ("length", "pad_to_multiple_of"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name))
        for name in ("pad_id", "pad_type_id"):
            check_number(name, getattr(self, name))

    def target(self, lengths: list[int]) -> int:
        """To how many tokens the texts of a batch are filled up."""
        target = max(lengths, default=0) if self.length is None else self.length
        multiple = self.pad_to_multiple_of or 1
        return -(-target // multiple) * multiple

    def fill(self, row: Row, target: int) -> Row:
        """A row with its padding."""
        more = Row.repeated(self.pad_id, self.pad_type_id, max(target - len(row.ids), 0), False)
        return Row.joined([row, more] if self.direction == "right" else [more, row])

    def fill_ids(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        """The ids of a batch of texts, all of one length but for those that are longer anyway."""
        target = self.target([len(row) for row in rows])
        filled = []
        for row in rows:
            more = np.full(max(target - len(row), 0), self.pad_id, np.int32)
            filled.append(np.concatenate([row, more] if self.direction == "right" else [more, row]))
        return filled
