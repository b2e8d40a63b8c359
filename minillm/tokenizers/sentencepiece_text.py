"""Text as SentencePiece's trainer sees it: normalized lines, words, and the characters to keep."""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import active_backend
from .counting import PieceCounter, blocks, joined
from .sentencepiece_file import TrainerSpec
from .sentencepiece_normalizer import SPACE, SentencePieceNormalizer

RARE = "\u2585".encode()
BARRIER = b"\x1f"
Lines = tuple[np.ndarray, np.ndarray]  # bytes, and where each line stands in them (n, 2)


def normalized_lines(
    texts: Iterable[str | Path], normalizer: SentencePieceNormalizer, meta: Sequence[str],
    longest: int,
) -> Iterator[Lines]:
    """The lines of texts, normalized, a block at a time; empty ones are left out.

    Each of the `meta` symbols in them becomes BARRIER, which is never part of a piece. Lines of
    more than `longest` bytes are left out with a warning.
    """
    too_long = 0
    for data, segments in blocks(texts):
        lines = split_lines(data, segments)
        lengths = lines[:, 1] - lines[:, 0]
        too_long += int((lengths > longest).sum())
        lines = lines[(lengths > 0) & (lengths <= longest)]
        if RARE in data.tobytes():
            raw = data.tobytes()
            lines = lines[[RARE not in raw[i:j] for i, j in lines.tolist()]]
        new, lines = normalizer.many(data, lines)
        new, lines = with_barriers(new, lines, meta)
        yield new, lines[lines[:, 1] > lines[:, 0]]
    if too_long:
        warnings.warn(
            f"{too_long} lines of more than {longest} bytes were left out; cut them, or raise "
            "max_sentence_length=", stacklevel=3,
        )


def split_lines(data: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Where the lines of the segments stand (n, 2), without their line breaks."""
    starts = np.union1d(np.flatnonzero(data == 10) + 1, segments[:, 0]).astype(np.int64)
    starts = starts[starts < len(data)]
    ends = np.append(starts[1:], len(data)) if len(starts) else starts
    for line_break in (10, 13):
        ends = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == line_break))
    return np.stack([starts, ends], 1)


def with_barriers(data: np.ndarray, lines: np.ndarray, meta: Sequence[str]) -> Lines:
    """The lines with each meta symbol replaced by BARRIER, the longest that matches first."""
    raw = data.tobytes()
    found = [symbol.encode() for symbol in meta if symbol.encode() in raw]
    if not found:
        return data, lines
    pattern = re.compile(b"|".join(map(re.escape, sorted(found, key=len, reverse=True))))
    return joined([pattern.sub(BARRIER, raw[i:j]) for i, j in lines.tolist()])


def word_spans(data: np.ndarray, lines: np.ndarray, spec: TrainerSpec) -> np.ndarray:
    """Where the words of the lines stand (n, 2): each begins (or ends) with ▁.

    The lines must cover `data`, one after another.
    """
    if not spec.split_by_whitespace:
        return lines
    size = len(data)
    mark = np.zeros(size + 3, bool)  # a ▁ begins here
    mark[: max(size - 2, 0)] = (data[:-2] == SPACE[0]) & (data[1:-1] == SPACE[1]) & (
        data[2:] == SPACE[2]
    )
    after = np.concatenate([np.zeros(3, bool), mark[:-3]])  # a ▁ ends here
    together = spec.allow_whitespace_only_pieces  # keep a run of ▁ in one word
    begins = mark & ~(after & together)
    if spec.treat_whitespace_as_suffix:
        begins = after & ~(mark & together)
    begins[lines[:, 0]] = True
    starts = np.flatnonzero(begins[:size])
    return np.stack([starts, np.append(starts[1:], size)], 1)


def count_words(
    blocks_of_lines: Iterable[Lines], spec: TrainerSpec
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bytes, offsets, counts) of the different words."""
    fast = active_backend() == "numba"
    counter, table = PieceCounter("given") if fast else None, Counter[bytes]()
    for data, lines in blocks_of_lines:
        if not len(lines):
            continue
        spans = word_spans(data, lines, spec)
        if counter is not None:
            counter.add(data, spans)
        else:
            raw = data.tobytes()
            table.update(raw[i:j] for i, j in spans.tolist())
    if counter is not None:
        counts = counter.counts()
        offsets = counter.starts[: len(counts) + 1]
        return counter.stored[: offsets[-1]], offsets, counts
    data, spans = joined(list(table))
    return data, np.concatenate([[0], spans[:, 1]]), np.fromiter(table.values(), np.int64)


def code_points(data: np.ndarray) -> np.ndarray:
    """The characters of UTF-8 as numbers (n,) int32."""
    return np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.int32)


def required_characters(counts: np.ndarray, coverage: float) -> dict[int, int]:
    """The code points that must be pieces and their counts, the most frequent first.

    counts: (0x110000,) how often each occurs. Characters are taken until those before make up
    `coverage` of the text; the test is done in float32, as in the library.
    """
    found = np.flatnonzero(counts)
    found = found[found != 0]
    found = found[np.lexsort([found, -counts[found]])]
    numbers = counts[found]
    total, before = int(numbers.sum()), np.concatenate([[0], np.cumsum(numbers)[:-1]])
    enough = np.flatnonzero((before / max(total, 1)).astype(np.float32) >= np.float32(coverage))
    kept = found[: enough[0]] if len(enough) else found
    return {point: int(counts[point]) for point in kept.tolist() if point != BARRIER[0]}


def together(blocks_of_lines: Iterable[Lines]) -> Lines:
    """All lines in one array, a line break after each."""
    parts = []
    for data, lines in blocks_of_lines:
        raw = data.tobytes()
        parts += [raw[i:j] + b"\n" for i, j in lines.tolist()]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    starts = np.concatenate([[0], ends[:-1]]) if parts else ends
    return np.frombuffer(b"".join(parts), np.uint8), np.stack([starts, ends - 1], 1)


def without_rare(data: np.ndarray, lines: np.ndarray, required: Iterable[int]) -> Lines:
    """The lines with every character that is not required replaced by RARE."""
    text = data.tobytes().decode()
    rare = set(text) - {chr(point) for point in required} - {"\n"}
    if not rare:
        return data, lines
    text = re.sub(f"[{re.escape(''.join(sorted(rare)))}]", RARE.decode(), text)
    data = np.frombuffer(text.encode(), np.uint8)
    ends = np.flatnonzero(data == 10)
    return data, np.stack([np.concatenate([[0], ends[:-1] + 1]), ends], 1)


def words_with_followers(data: np.ndarray, lines: np.ndarray, spec: TrainerSpec) -> Any:
    """The different words and what follows each, as the trainer of unigram models wants them."""
    from .unigram_words import Words, words_of_lines

    plain = spec.split_by_whitespace and not spec.treat_whitespace_as_suffix
    if plain and not spec.allow_whitespace_only_pieces and active_backend() == "numba":
        return words_of_lines(data, lines)
    raw = data.tobytes()
    table: Counter[tuple[str, str]] = Counter()
    for i, j in lines.tolist():
        line = data[i:j]
        spans = word_spans(line, np.array([[0, j - i]]), spec).tolist()
        words = [raw[i + start : i + end].decode() for start, end in spans]
        table.update(zip(words, [word[0] for word in words[1:]] + ["\0"]))
    followers = [follower for _, follower in table]
    return Words.of([word for word, _ in table], list(table.values()), followers)
