"""Text as bytes: UTF-8 arrays, the pieces in them, and character positions of byte positions."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BLOCK = 1 << 19  # characters; larger arrays get fresh memory from the system each time, slowly
BETWEEN = "\ud800"  # half a character, which texts do not have
LONG = 64  # characters of texts that are quicker encoded one by one
SURROGATE = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


class Pieces(NamedTuple):
    """Pieces of a text: UTF-8 bytes (n,) uint8, and (pieces, 2) int64 byte spans in them."""

    data: np.ndarray
    spans: np.ndarray


class Continued(str):
    """A part of a text that does not stand at its beginning (a special token is before it)."""


class Normalized(str):
    """A part of a text that is normalized already.

    sources: for each of its characters the span in the whole text that it comes from, (n, 2).
    """

    sources: np.ndarray

    @classmethod
    def of(cls, text: str, sources: np.ndarray) -> "Normalized":
        """The text with the characters (n, 2) that it comes from."""
        part = cls(text)
        part.sources = sources
        return part


def is_raw(part: Any) -> bool:
    """Is it a part of a text that has yet to be normalized?"""
    return isinstance(part, str) and not isinstance(part, Normalized)


def origins(text: str) -> np.ndarray:
    """Where in the whole text each character begins (n,); 0 only for what stands at its start."""
    if isinstance(text, Normalized):
        return text.sources[:, 0]
    return np.arange(len(text)) + isinstance(text, Continued)


def pieces_of(text: str, cut: Callable[[str], list[tuple[int, int]]]) -> Pieces:
    """The pieces of a text, where ``cut(text)`` gives their spans in characters."""
    data = np.frombuffer(as_utf8(text), np.uint8)
    text = data.tobytes().decode()
    edges = np.array(cut(text), np.int64).reshape(-1, 2)
    return Pieces(data, byte_positions(data, len(text))[edges] if len(data) > len(text) else edges)


def byte_positions(data: np.ndarray, characters: int) -> np.ndarray:
    """At which byte of UTF-8 each character begins, and where the last one ends (n + 1,)."""
    if len(data) == characters:
        return np.arange(characters + 1)
    return np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))


def mend_surrogates(text: str) -> str:
    """Two surrogates that belong together become their character, a lone one U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_utf8(text: str) -> bytes:
    """UTF-8 of a text. Surrogates are mended first, as tiktoken does."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return mend_surrogates(text).encode()


def blocks_of(texts: list[str], characters: int = BLOCK) -> Iterator[list[str]]:
    """The texts in lists of about so many characters; a longer text is not cut."""
    if len(texts) < 2:
        yield from [texts] * len(texts)
        return
    done = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    start = 0
    while start < len(texts):
        before = done[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(done, before + characters, "right")))
        yield texts[start:end]
        start = end


def joined_ids(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of many texts from those of one list of texts after the other."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(len(ids) for ids, _ in parts)])
    ends = [end + shift for (_, end), shift in zip(parts, before, strict=False)]
    ids = np.concatenate([np.empty(0, np.int32), *(ids for ids, _ in parts)])
    return ids, np.concatenate([np.empty(0, np.int64), *ends])


def with_tokens(
    ids: np.ndarray, ends: np.ndarray, tokens: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of texts from those of their parts, and the token behind each part.

    -1 is no token: it stands behind the last part of each text.
    """
    real = tokens >= 0
    after = ends + np.cumsum(real)
    made = np.empty(len(ids) + int(real.sum()), np.int32)
    places = after[real] - 1
    plain = np.ones(len(made), bool)
    plain[places] = False
    made[places], made[plain] = tokens[real], ids
    return made, after[~real]


def joined_texts(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """UTF-8 of all texts in one array, and the bytes (n, 2) at which each stands in it."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))  # characters
    try:
        data = np.frombuffer("".join(texts).encode(), np.uint8)
    except UnicodeEncodeError:  # surrogates
        return joined_bytes([as_utf8(text) for text in texts])
    edges = np.concatenate([[0], np.cumsum(sizes)])
    if len(data) > edges[-1] > LONG * len(texts):
        return joined_bytes([text.encode() for text in texts])
    if len(data) > edges[-1]:
        further = np.flatnonzero((data & 0xC0) == 0x80)  # bytes that do not begin a character
        before = further - np.arange(len(further))  # characters begun before each
        edges += np.searchsorted(before, edges, "right")
    return data, np.stack([edges[:-1], edges[1:]], 1)


def joined_bytes(parts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """All parts in one array, and the bytes (n, 2) at which each stands in it."""
    edges = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), np.stack([edges[:-1], edges[1:]], 1)


def token_spans(widths: np.ndarray, pieces: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Byte spans (n, 2) of tokens of so many bytes, where piece k has those up to ``ends[k]``."""
    counts = np.diff(ends, prepend=0)
    after = np.concatenate([[0], np.cumsum(widths)])
    shift = np.repeat(pieces[:, 0] - after[ends - counts], counts)
    return np.stack([after[:-1] + shift, after[1:] + shift], 1)


def characters_of(data: np.ndarray) -> np.ndarray:
    """Which character each byte of UTF-8 is part of, and how many there are (n + 1,)."""
    first = (data & 0xC0) != 0x80
    return np.append(np.cumsum(first) - 1, np.count_nonzero(first))


def character_offsets(text: str, spans: np.ndarray) -> np.ndarray:
    """Character positions in `text` of byte spans in its UTF-8.

    A span that starts or ends inside a character is widened to the whole character.
    """
    index = characters_of(np.frombuffer(as_utf8(text), np.uint8))
    result = np.empty_like(spans)
    result[:, 0] = index[spans[:, 0]]
    result[:, 1] = np.where(
        spans[:, 1] > spans[:, 0], index[np.maximum(spans[:, 1] - 1, 0)] + 1, result[:, 0]
    )
    if len(text) != index[-1]:  # two surrogates have become one character
        widths = [len(match) for match in re.findall(SURROGATE.pattern + "|(?s:.)", text)]
        positions = np.concatenate([[0], np.cumsum(widths)])
        result = positions[result]
    return result


def many(name: str, values: Iterable[Any]) -> Iterable[Any]:
    """The values, unless they are a single text, which Python would take apart."""
    if isinstance(values, str | bytes | Path) or not isinstance(values, Iterable):
        raise TypeError(f"{name}={values!r:.60} is a single {type(values).__name__}; pass a list")
    return values


def as_list(ids: Sequence[int] | np.ndarray) -> list[int]:
    """The ids as plain ints; anything else than whole numbers in one row is an error."""
    if isinstance(ids, list) and set(map(type, ids)) <= {int}:
        return ids
    array = np.asarray(ids)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(
            f"ids has shape {array.shape} and type {array.dtype}; expected one row of whole numbers"
        )
    return array.tolist()


class UnknownTextError(ValueError):
    """A piece is not in the vocabulary, and there is no unknown token to stand for it."""


def unknown(piece: str, position: int) -> UnknownTextError:
    """The error for a piece at this byte of the text."""
    return UnknownTextError(
        f"text has {piece!r} at byte {position}, which is not in the vocabulary; train with "
        "unk_token='<|unk|>' to give unknown text an id"
    )


def texts_of(pieces: Pieces) -> Iterator[tuple[str, int, int]]:
    """(piece, start, end) of every piece."""
    raw = pieces.data.tobytes()
    for start, end in pieces.spans.tolist():
        yield raw[start:end].decode(), start, end


def encoded_pieces(
    pieces: Pieces, encode: Callable[[str, int], Any], known: dict[str, Any] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Ids (n,) of the tokens of all pieces and their byte spans (n, 2).

    ``encode(piece, position)`` gives the ids and the widths in bytes of one piece; what it gave is
    remembered in `known`, unless that is None.
    """
    ids: list[int] = []
    spans = []
    for piece, start, _ in texts_of(pieces):
        found = None if known is None else known.get(piece)
        if found is None:
            found = encode(piece, start)
            if known is not None and len(known) < 1 << 16:
                known[piece] = found
        ids += found[0]
        for width in found[1]:
            spans.append((start, start + width))
            start += width
    return np.array(ids, np.int32), np.array(spans, np.int64).reshape(-1, 2)
