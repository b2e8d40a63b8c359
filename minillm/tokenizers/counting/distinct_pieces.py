"""Counting the different pieces of texts and files: what every trainer of merges starts from.

``count_pieces`` is the definition; ``PieceCounter`` counts large text with a kernel. Text that
stands in a list is cut at its end, a file at the end of each line, as Hugging Face's trainer does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from ...backends import active_backend
from ..patterns.named_rules import RULES, rule_of
from ..pre_tokenizers.split_rules import split
from ..text.alternatives import pattern_of
from ..text.segments import as_utf8

BLOCK = 1 << 24  # bytes of text that are looked at together


def count_pieces(texts: Iterable[str], pattern: str) -> Counter[bytes]:
    """How often each piece occurs, in the order in which the pieces are met."""
    return Counter(piece.encode() for text in texts for piece in split(text, pattern))


def blocks(texts: Iterable[str | Path]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """UTF-8 bytes, about BLOCK at a time, and the segments (n, 2) that stand in them.

    A str is a text; a Path is a file, and each of its lines, with its line break, is a text.
    """
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        if isinstance(text, Path):
            yield from file_blocks(text)
        elif isinstance(text, str):
            waiting.append(as_utf8(text))
            size += len(waiting[-1])
            if size >= BLOCK:
                yield joined(waiting)
                waiting, size = [], 0
        else:
            raise TypeError(
                f"texts holds {text!r}; expected str (a text) or pathlib.Path (a file to read)"
            )
    if waiting:
        yield joined(waiting)


def between_tokens(texts: Iterable[str | Path], tokens: Iterable[str]) -> Iterator[str | Path]:
    """The texts, cut where special tokens stand in them, which belong to no piece.

    A file in which none stands is handed on as it is; of another one the lines are cut.
    """
    pattern = pattern_of(frozenset(tokens))
    for text in texts:
        if isinstance(text, str):
            yield from filter(None, pattern.split(text)[::2])
        elif isinstance(text, Path) and holds_any(text, [token.encode() for token in tokens]):
            for data, segments in file_blocks(text):
                raw = data.tobytes()
                for start, end in segments.tolist():
                    yield from filter(None, pattern.split(raw[start:end].decode())[::2])
        else:
            yield text


def holds_any(path: Path, tokens: list[bytes]) -> bool:
    """Does one of the tokens stand in the file? It is read in blocks that overlap."""
    overlap = max(map(len, tokens), default=1) - 1
    before = b""
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            block = before + block
            if any(token in block for token in tokens):
                return True
            before = block[len(block) - overlap :]
    return False


def joined(parts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """All parts as one read-only array, and where each stands in it."""
    edges = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), np.stack([edges[:-1], edges[1:]], 1)


def file_blocks(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A file in blocks of whole lines. Bytes that are not UTF-8 raise a ValueError."""
    position = 0
    rest = b""
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            whole, newline, tail = block.rpartition(b"\n")
            data, rest = (rest + whole + newline, tail) if newline else (b"", rest + block)
            if data:
                yield lines(data, path, position)
                position += len(data)
        if rest:
            yield lines(rest, path, position)


def lines(data: bytes, path: Path, position: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole lines as an array of bytes and their spans (n, 2); they must be UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: byte {position + error.start} is not valid UTF-8 ({error.reason}); "
            "convert the file to UTF-8 first"
        ) from None
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == 10) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    return array, np.stack([np.concatenate([[0], ends[:-1]]), ends], 1).astype(np.int64)


class PieceCounter:
    """Counts pieces with a kernel; memory grows with the number of different ones.

    After ``add``, word w has the bytes ``stored[starts[w] : starts[w + 1]]`` and stood in the text
    ``counts()[w]`` times.
    """

    def __init__(self, rule: str):
        from ..text.unicode_classes import class_table

        self.rule, self.classes = RULES.index(rule), class_table()
        self.short = np.zeros(4 << 16, np.uint64)
        self.long = np.zeros(4 << 12, np.uint64)
        self.stored = np.empty(1 << 20, np.uint8)
        self.starts = np.zeros(1 << 16, np.int64)
        self.used = np.zeros(2, np.int64)

    def add(self, text: np.ndarray, segments: np.ndarray) -> None:
        """Count the pieces of the segments (n, 2) of `text`."""
        from ..pre_tokenizers.ascii_kernel import Splitting
        from .distinct_pieces_kernel import count_pieces as kernel

        at, splitting = np.zeros(2, np.int64), Splitting(self.rule, self.classes)
        while kernel(text, segments, splitting, self.tables(), at):
            longest = int((segments[:, 1] - segments[:, 0]).max())
            self.grow(longest)

    def tables(self) -> tuple[np.ndarray, ...]:
        """What the kernels write to."""
        from .distinct_pieces_kernel import Counts

        return Counts(self.short, self.long, self.stored, self.starts, self.used)

    def grow(self, longest: int) -> None:
        """Make room in the tables that are nearly full, and for a piece of `longest` bytes."""
        from .distinct_pieces_kernel import refill

        counts = self.counts()
        short, long = self.used * 3 > np.array([self.short.size, self.long.size]) // 4
        self.short = np.zeros(self.short.size * (4 if short else 1), np.uint64)
        self.long = np.zeros(self.long.size * (4 if long else 1), np.uint64)
        room = self.starts[len(counts)] + longest
        if room > self.stored.size:
            self.stored = np.concatenate([self.stored, np.empty(room, np.uint8)])
        if len(counts) + 2 > self.starts.size // 2:
            self.starts = np.concatenate([self.starts, np.zeros_like(self.starts)])
        refill(self.tables(), counts)

    def counts(self) -> np.ndarray:
        """(words,) int64: how often each word was seen."""
        counts = np.zeros(int(self.used.sum()), np.int64)
        for table in (self.short, self.long):
            slots = table.reshape(-1, 4)
            full = slots[slots[:, 3] > 0]
            counts[full[:, 2].astype(np.int64)] = full[:, 3]
        return counts

    def words(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(bytes, offsets, counts) as ``word_counts`` gives them."""
        counts = self.counts()
        offsets = self.starts[: len(counts) + 1]
        return self.stored[: offsets[-1]], offsets, counts


def word_counts(
    texts: Iterable[str | Path], pattern: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bytes, offsets, counts) of the different pieces of all texts, in the order of first sight.

    Word w is ``bytes[offsets[w] : offsets[w + 1]]``.
    """
    rule = rule_of(pattern)
    if rule and active_backend() == "numba":
        counter = PieceCounter(rule)
        for text, segments in blocks(texts):
            counter.add(text, segments)
        return counter.words()
    table: Counter[bytes] = Counter()
    for text, segments in blocks(texts):
        raw = text.tobytes()
        table.update(count_pieces((raw[i:j].decode() for i, j in segments.tolist()), pattern))
    data, spans = joined(list(table))
    return data, np.concatenate([[0], spans[:, 1]]), np.fromiter(table.values(), np.int64)


def strings(data: np.ndarray, offsets: np.ndarray) -> list[str]:
    """The pieces that ``word_counts`` gives as bytes (n,) with offsets (p + 1,), as text."""
    raw = data.tobytes()
    return [raw[i:j].decode() for i, j in pairwise(offsets.tolist())]
