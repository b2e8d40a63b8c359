"""SentencePiece's normalizer: rules of a charsmap, and what happens to white space.

Spaces become ▁ (U+2581) and are then characters like any other, so that a piece can begin with one
and the text can be put together again. ``SentencePieceNormalizer.parts`` is the definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any, NamedTuple

import numpy as np

from ...backends import active_backend
from ..normalizers.charsmap import Charsmap
from ..normalizers.charsmap_build import build_charsmap
from ..text.segments import as_utf8, character_offsets, joined_bytes
from ..text.utf8 import character_width

SPACE = "\u2581".encode()


class Part(NamedTuple):
    """New bytes, and the bytes start:end of the text that they come from."""

    new: bytes
    start: int
    end: int


class Placed(NamedTuple):
    """Normalized texts: data (n,) uint8, and the bytes (t, 2) at which each stands in it.

    origin (n,): where that begins in the old bytes which each byte was made of. lasts (t,): where
    each text ends there, before the spaces that were taken off it.
    """

    data: np.ndarray
    segments: np.ndarray
    origin: np.ndarray
    lasts: np.ndarray


@dataclass(frozen=True)
class SentencePieceNormalizer:
    """Rewrite text as SentencePiece does before it is cut.

    charsmap: a compiled table of rules (``charsmap_rules.named_charsmap``); empty: none.
    user_defined: symbols that stand as they are, whatever the rules say of them. The rest are the
    fields of the same name in a `.model` file.
    """

    charsmap: bytes = field(default=b"", repr=False)
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True
    treat_whitespace_as_suffix: bool = False
    user_defined: tuple[str, ...] = ()
    _tables: Any = field(default=None, init=False, repr=False, compare=False)
    _arrays: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        symbols = {symbol.encode(): symbol.encode() for symbol in self.user_defined}
        tables = [Charsmap(data) for data in (self.charsmap, build_charsmap(symbols)) if data]
        if self.charsmap and symbols:
            tables.reverse()  # user-defined symbols first
        object.__setattr__(self, "_tables", tables)

    def __call__(self, text: str) -> str:
        data = as_utf8(text)
        if active_backend() == "numba":
            array = np.frombuffer(data, np.uint8)
            return self.many(array, np.array([[0, len(array)]], np.int64))[0].tobytes().decode()
        return b"".join(part.new for part in self.parts(data)).decode()

    def aligned(self, text: str) -> tuple[str, np.ndarray]:
        """The new text, and for each of its characters the span of characters it comes from."""
        made, spans = [], []
        for part in self.parts(as_utf8(text)):
            made.append(part.new.decode())
            spans += [(part.start, part.end)] * len(made[-1])
        sources = np.array(spans, np.int64).reshape(-1, 2)
        return "".join(made), character_offsets(text, sources)

    def original(self, text: str, spans: np.ndarray) -> np.ndarray:
        """Spans of characters of `text` for byte spans (n, 2) in its normalized form.

        As the library counts: a byte comes from where the rule that made it begins, and a span
        ends where the next byte comes from. So the spans of tokens touch (a removed space belongs
        to the token before it), and of several tokens from one character the last has all of it.
        """
        data = np.frombuffer(as_utf8(text), np.uint8)
        made = self.placed(data, np.array([[0, len(data)]], np.int64))
        places = np.append(made.origin, made.lasts)
        places = np.repeat(places[spans].reshape(-1, 1), 2, 1)  # as empty spans
        return character_offsets(text, places)[:, 0].reshape(-1, 2)

    def placed(self, data: np.ndarray, segments: np.ndarray) -> Placed:
        """Segments (n, 2) of `data`, each normalized, with the way back."""
        if active_backend() != "numba":
            return joined_placed([self.placed_text(data[i:j].tobytes(), i)
                                  for i, j in segments.tolist()])
        from .bulk import normalize_many

        made = Placed(*normalize_many(self, data, segments, True))
        for k in np.flatnonzero(made.lasts < 0).tolist():
            i, j = segments[k].tolist()
            alone = self.placed_text(data[i:j].tobytes(), i)
            made.origin[slice(*made.segments[k])] = alone.origin
            made.lasts[k] = alone.lasts[0]
        return made

    def placed_text(self, data: bytes, shift: int) -> Placed:
        """The definition, of one text that begins at byte `shift`."""
        space = SPACE if self.escape_whitespaces else b" "
        end = len(data)  # before the spaces that were taken off the end
        parts = self.parts(data)
        last = next((part.start for part in parts[::-1] if part.start < part.end), 0)
        chunks = list(dropwhile(lambda c: c.new == b" ", self.chunks(data[last:])))
        written = any(chunk.new.strip(b" ") for chunk in chunks)  # else no space is, either
        for chunk in chunks[::-1] if self.remove_extra_whitespaces and written else ():
            new = chunk.new.replace(b" ", space)
            end = last + chunk.start if new.endswith(space) else end
            if new.replace(space, b""):
                break
        starts = [part.start for part in parts for _ in part.new]
        if self.add_dummy_prefix and self.treat_whitespace_as_suffix:
            starts[-len(space) :] = [end] * len(space) if starts else []
        made = np.frombuffer(b"".join(part.new for part in parts), np.uint8)
        return Placed(made, np.array([[0, len(made)]]), np.array(starts, np.int64) + shift,
                      np.array([end + shift], np.int64))

    def parts(self, data: bytes) -> list[Part]:
        """The text in UTF-8, rewritten: each rule's result with the place it comes from."""
        remove = self.remove_extra_whitespaces
        chunks = list(dropwhile(lambda c: remove and c.new == b" ", self.chunks(data)))
        if not chunks:
            return []
        begin, parts, after_space = chunks[0].start, [], remove
        if self.add_dummy_prefix and not self.treat_whitespace_as_suffix:
            parts.append(Part(b" ", begin, begin))
        for new, start, end in chunks:
            new = new.lstrip(b" ") if after_space else new
            if new:
                after_space = remove and new.endswith(b" ")
            parts.append(Part(new, start, end))
        space = SPACE if self.escape_whitespaces else b" "
        parts = [part._replace(new=part.new.replace(b" ", space)) for part in parts]
        if remove:
            drop_from_end(parts, space)
        if self.add_dummy_prefix and self.treat_whitespace_as_suffix:
            end = parts[-1].end if parts else begin
            parts.append(Part(space, end, end))
        return parts

    def chunks(self, data: bytes) -> Iterator[Part]:
        """What the rules make of the text, one match after another."""
        i = 0
        while i < len(data):
            for table in self._tables:  # user-defined symbols, then rules
                length, new = table.longest(data, i)
                if length:
                    break
            else:
                length = width(data[i])
                new = data[i : i + length] if length else "\ufffd".encode()
            yield Part(new, i, i + max(length, 1))
            i += max(length, 1)

    def many(self, data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Segments (n, 2) of `data` (uint8), each normalized: (new data, new segments)."""
        if active_backend() == "numba":
            from .bulk import normalize_many

            return normalize_many(self, data, segments)[:2]
        from ..counting.distinct_pieces import joined

        raw = data.tobytes()
        return joined([
            b"".join(part.new for part in self.parts(raw[i:j])) for i, j in segments.tolist()
        ])


def joined_placed(rows: list[Placed]) -> Placed:
    """Texts one behind the other."""
    data, segments = joined_bytes([row.data.tobytes() for row in rows])
    nothing = np.empty(0, np.int64)
    return Placed(data, segments, np.concatenate([nothing, *(row.origin for row in rows)]),
                  np.concatenate([nothing, *(row.lasts for row in rows)]))


def drop_from_end(parts: list[Part], space: bytes) -> None:
    """Take spaces away from the end, with the parts that nothing is left of."""
    while parts and (not parts[-1].new or parts[-1].new.endswith(space)):
        last = parts.pop()
        if last.new:
            parts.append(last._replace(new=last.new[: -len(space)]))


def width(byte: int) -> int:
    """Bytes of the UTF-8 character that begins with this byte; 0 inside a character."""
    return 0 if 0x80 <= byte < 0xC0 else character_width(byte)
