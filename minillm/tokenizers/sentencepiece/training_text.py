"""Text as SentencePiece's trainer sees it: lines, words, characters, and what may be a piece."""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...backends import active_backend
from ..counting.distinct_pieces import PieceCounter, blocks, joined
from ..unigram.seed_pieces import ALONE, ANY, FORBIDDEN, INHERITED, Validity
from ..unigram.seed_pieces import SPACE as SPACE_KIND
from .model_file import TrainerSpec
from .normalizer import SPACE, SentencePieceNormalizer

RARE = "\u2585".encode()
BARRIER = b"\x1f"
Lines = tuple[np.ndarray, np.ndarray]  # bytes, and where each line stands in them (n, 2)


def normalized_lines(
    texts: Iterable[str | Path], normalizer: SentencePieceNormalizer, meta: Sequence[str],
    longest: int,
) -> Iterator[Lines]:
    """The lines of texts, normalized, a block at a time; lines without text are left out.

    Each of the `meta` symbols in them becomes BARRIER, which is never part of a piece. Lines of
    more than `longest` bytes are left out with a warning. Raises ValueError where all are.
    """
    too_long = kept = 0
    for data, segments in blocks(texts):
        lines = split_lines(data, segments)
        lengths = lines[:, 1] - lines[:, 0]
        too_long += int((lengths > longest).sum())
        lines = lines[(lengths > 0) & (lengths <= longest)]
        if RARE in data.tobytes():
            raw = data.tobytes()
            lines = lines[[RARE not in raw[i:j] for i, j in lines.tolist()]]
        kept += len(lines)
        new, lines = normalizer.many(data, lines)
        yield with_barriers(new, lines, meta)
    if too_long and not kept:
        raise ValueError(f"texts has no line to learn from: all {too_long} have more than "
                         f"{longest} bytes; cut them, or raise max_sentence_length=")
    if too_long:
        warnings.warn(
            f"{too_long} lines of more than {longest} bytes were left out; cut them, or raise "
            "max_sentence_length=", stacklevel=3,
        )


def split_lines(data: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Where the lines of the segments stand (n, 2), without their line breaks."""
    mark = np.zeros(len(data) + 1, bool)
    mark[1:] = data == 10
    mark[segments[:, 0]] = True
    starts = np.flatnonzero(mark[:-1])
    ends = np.append(starts[1:], len(data)) if len(starts) else starts
    while (more := (ends > starts) & np.isin(data[np.maximum(ends - 1, 0)], [10, 13])).any():
        ends = ends - more
    return np.stack([starts, ends], 1)


def with_barriers(data: np.ndarray, lines: np.ndarray, meta: Sequence[str]) -> Lines:
    """The lines with each meta symbol replaced by BARRIER, the longest that matches first.

    The lines must cover `data`, one after another, as they do afterwards.
    """
    raw = data.tobytes()
    symbols = sorted((symbol.encode() for symbol in meta), key=len, reverse=True)
    heads = [head for head in {symbol[:3] for symbol in symbols} if head in raw]
    if not heads:
        return data, lines
    pattern, begin = (re.compile(b"|".join(map(re.escape, some))) for some in (symbols, heads))
    found = [place for m in begin.finditer(raw) for place in (m.start(), m.end() - 1)]
    touched = np.unique(np.searchsorted(lines[:, 1], found, "right"))
    parts, done, lengths = [], 0, lines[:, 1] - lines[:, 0]
    for k in touched.tolist():
        start, end = lines[k].tolist()
        parts += [raw[done:start], pattern.sub(BARRIER, raw[start:end])]
        lengths[k], done = len(parts[-1]), end
    ends = np.cumsum(lengths)
    new = b"".join([*parts, raw[done:]])
    return np.frombuffer(new, np.uint8), np.stack([ends - lengths, ends], 1)


def word_spans(data: np.ndarray, lines: np.ndarray, spec: TrainerSpec) -> np.ndarray:
    """Where the words of the lines stand (n, 2): each begins (or ends) with ▁.

    The lines must cover `data`, one after another.
    """
    if not spec.split_by_whitespace or not len(lines):
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
    blocks_of_lines: Iterable[Lines], spec: TrainerSpec, kinds: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bytes, offsets, counts) of the different words.

    With `kinds`, the class of each code point, the kernel cuts words further, wherever no piece can
    reach across.
    """
    if active_backend() != "numba":
        table: Counter[bytes] = Counter()
        for data, lines in blocks_of_lines:
            raw = data.tobytes()
            table.update(raw[i:j] for i, j in word_spans(data, lines, spec).tolist())
        data, spans = joined(list(table))
        return data, np.concatenate([[0], spans[:, 1]]), np.fromiter(table.values(), np.int64)
    counter = PieceCounter("given")
    for data, lines in blocks_of_lines:
        parts = [word_spans(data, lines, spec)] if kinds is None else (
            parts_of_words(data, lines, spec, kinds)
        )
        for spans in parts:
            if len(spans):
                counter.add(data, spans)
    return counter.words()


def parts_of_words(
    data: np.ndarray, lines: np.ndarray, spec: TrainerSpec, kinds: np.ndarray
) -> Iterator[np.ndarray]:
    """Spans (n, 2) of what lies between two places that no piece can reach across."""
    from .learning_kernel import cut_words

    longest = int((lines[:, 1] - lines[:, 0]).max(initial=0))
    spans, at = np.empty((max(longest, 1 << 19), 2), np.int64), np.zeros(1, np.int64)
    while at[0] < len(lines):
        count = cut_words(
            data, lines, kinds, spec.split_by_whitespace, spec.treat_whitespace_as_suffix,
            spec.allow_whitespace_only_pieces, spans, at,
        )
        yield spans[:count]


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
    """All lines in one array, a line break after each.

    The last line takes the place of an empty one, as in the library, where what follows a line
    matters (``seeds``).
    """
    parts = []
    for data, lines in blocks_of_lines:
        raw = data.tobytes()
        parts += [raw[i:j] + b"\n" for i, j in lines.tolist()]
    k = 0
    while k < len(parts):
        if parts[k] == b"\n":
            parts[k] = parts[-1]
            parts.pop()
        else:
            k += 1
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
    from ..unigram.word_counts import END, Words, words_of_lines

    plain = spec.split_by_whitespace and not spec.treat_whitespace_as_suffix
    if plain and not spec.allow_whitespace_only_pieces and active_backend() == "numba":
        return words_of_lines(data, lines)
    raw = data.tobytes()
    table: Counter[tuple[str, str]] = Counter()
    ends = [END + chr(raw[start]) for start in lines[1:, 0].tolist()] + [END]
    for (i, j), end in zip(lines.tolist(), ends):
        line = data[i:j]
        spans = word_spans(line, np.array([[0, j - i]]), spec).tolist()
        words = [raw[i + start : i + stop].decode() for start, stop in spans]
        table.update(zip(words, [*(word[0] for word in words[1:]), end]))
    followers = [follower for _, follower in table]
    return Words.of([word for word, _ in table], list(table.values()), followers)


RARE_POINT, SPACE_POINT = 0x2585, 0x2581


@cache
def script_numbers() -> np.ndarray:
    """(0x110000,) int16: a number from 1 on for the script of each code point, or INHERITED.

    Hiragana, Katakana and the long vowel mark ー count as Han, for Japanese mixes them in words.
    """
    text = Path(__file__).with_name("sentencepiece_scripts.txt").read_text(encoding="ascii")
    runs = [line.split() for line in text.splitlines() if not line.startswith("#")]
    starts = np.array([int(start, 16) for start, _ in runs] + [0x110000])
    names = ["Han" if name in ("Hiragana", "Katakana") else name for _, name in runs]
    number = {name: k for k, name in enumerate(dict.fromkeys(names), 1)} | {"Inherited": INHERITED}
    table = np.repeat(np.array([number[name] for name in names], np.int16), np.diff(starts))
    table[0x30FC] = number["Han"]
    table.flags.writeable = False
    return table


def piece_rules(spec: TrainerSpec) -> Validity:
    """What the options of the trainer allow."""

    def classes(points: np.ndarray) -> np.ndarray:
        kinds = script_numbers()[points].astype(np.int64)
        if not spec.split_by_unicode_script:
            kinds[:] = ANY
        digits = (points >= 0x30) & (points <= 0x39) | (points >= 0xFF10) & (points <= 0xFF19)
        if spec.split_digits or not spec.split_by_number:
            kinds[digits] = ALONE if spec.split_digits else ANY
        kinds[points == SPACE_POINT] = SPACE_KIND
        kinds[np.isin(points, [0, 0x1F, 0x20, RARE_POINT])] = FORBIDDEN
        return kinds

    suffix = spec.treat_whitespace_as_suffix
    if spec.split_by_whitespace:
        place = "last" if suffix else "first"
    else:
        place = "not_first" if suffix else "not_last"
    return Validity(classes, place, spec.allow_whitespace_only_pieces, spec.max_piece_length)
