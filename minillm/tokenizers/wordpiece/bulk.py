"""The tables with which the WordPiece kernel runs BERT's normalizer, and the call of the kernel."""

from collections.abc import Callable
from functools import cache
from typing import Any
from unicodedata import combining

import numpy as np

from ..normalizers.bert import BertNormalizer
from ..normalizers.unicode_forms import parts_of
from ..pre_tokenizers.bert import BertSplit
from ..text.character_kinds import IDEOGRAPHS, NAMES, kinds, lower
from ..text.memories import Memories

KEEP, DELETE, SPACE, ISOLATE, REWRITE, COMPLEX = 0, 1, 2, 3, 4, 5  # as in the kernel
ASSIGNED = 0x32400  # no code point from here on has a decomposition or a small letter
PLAIN_SPACE = np.frombuffer(b" \t\n\r", np.uint8)


def bulk_encoder(model: Any, normalizer: BertNormalizer) -> Callable[..., Any]:
    """``(data, segments) -> (ids, ends)`` for a WordPiece model behind a BertNormalizer."""
    from ..text.memory_kernel import new_memory, with_room

    memories = model._memories.setdefault(normalizer, Memories(new_memory))
    rules = normalizing_rules(normalizer)

    def run(data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from .bulk_kernel import FULL, encode_words

        segments = np.ascontiguousarray(segments, np.int64)
        size = 3 * int((segments[:, 1] - segments[:, 0]).sum()) + 3 * len(segments) + 8
        out, ends = np.empty(size, np.int32), np.empty(len(segments), np.int64)
        word = np.zeros(4 * model.longest + 64, np.uint8)
        progress = np.zeros(3, np.int64)
        table, room = model.entries, (memories.take(), word)
        while stopped := encode_words(data, segments, rules, table, room, out, ends, progress):
            if stopped == FULL:
                room = with_room(room[0]), word
                continue
            s, start, n = progress.tolist()
            end = end_of_stretch(data, start, int(segments[s, 1]))
            ids, _ = model(BertSplit()(normalizer(data[start:end].tobytes().decode())))
            out[n : n + len(ids)] = ids
            progress[1:] = end, n + len(ids)
        memories.give_back(room[0])
        return out[: progress[2]].copy(), ends

    return run


def encode_words_given(
    model: Any, data: np.ndarray, words: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of the words (n, 2) of `data`, which other stages have cut."""
    from ..text.memory_kernel import new_memory, with_room
    from .bulk_kernel import encode_given

    memories = model._memories.setdefault("given", Memories(new_memory))
    memory, words = memories.take(), np.ascontiguousarray(words, np.int64)
    out = np.empty(int((words[:, 1] - words[:, 0]).sum()) + 3, np.int32)
    ends, progress = np.empty(len(words), np.int64), np.zeros(2, np.int64)
    while encode_given(data, words, model.entries, memory, out, ends, progress):
        memory = with_room(memory)
    memories.give_back(memory)
    return out[: progress[1]].copy(), ends


def end_of_stretch(data: np.ndarray, start: int, stop: int) -> int:
    """Where the next space or line break stands, or `stop`."""
    step = 256
    while start < stop:
        found = np.flatnonzero(np.isin(data[start : min(start + step, stop)], PLAIN_SPACE))
        if len(found):
            return start + int(found[0])
        start += step
    return stop


def entries(model: Any) -> Any:
    """Hash tables of the entries, and of those that continue a word without their prefix."""
    from ..text.index_kernel import entries_of
    from .bulk_kernel import Table

    prefix = model.prefix.encode()
    tables, widest = [], 1
    for inner in (False, True):
        names = [token or b"" for token in model.vocabulary]
        if inner:
            names = [name[len(prefix) :] if name.startswith(prefix) else b"" for name in names]
        widest = max(widest, *map(len, names))
        tables.append(entries_of(names))
    return Table(tables[0], tables[1], widest, model.unk_id, model.longest)


@cache
def normalizing_rules(normalizer: BertNormalizer) -> Any:
    """What the normalizer makes of each code point, and how the pre-tokenizer sees it."""
    from .bulk_kernel import Rules

    action = np.full(0x110000, KEEP, np.uint8)
    name = kinds()
    action[np.isin(name, [NAMES.index("S"), NAMES.index("V")])] = SPACE
    action[name == NAMES.index("P")] = ISOLATE
    if normalizer.clean_text:
        action[np.isin(name, [NAMES.index("D"), NAMES.index("V")])] = DELETE
    strip = normalizer.lowercase if normalizer.strip_accents is None else normalizer.strip_accents
    plain = np.arange(128, dtype=np.uint8)
    if normalizer.lowercase:
        plain[65:91] += 32
    place = np.zeros(0x110000, np.int32)
    steps, made = [(DELETE, 0, 0)], bytearray()
    if normalizer.chinese_characters:
        for first, last in IDEOGRAPHS:
            action[first : last + 1] = ISOLATE
    for code in rewritten(normalizer, strip):
        if action[code] == DELETE:
            continue
        place[code] = len(steps)
        for part in normalizer.steps(chr(code)):
            kind = NAMES[name[ord(part[0])]]
            what = SPACE if kind in "SV" else ISOLATE if kind == "P" else KEEP
            raw = part[0].encode()
            steps.append((what, len(made), len(made) + len(raw)))
            made += raw
        steps.append((DELETE, 0, 0))
        action[code] = REWRITE
    if strip:
        for code in marks_in_order():
            action[code] = COMPLEX
    return Rules(action, plain, place, np.array(steps, np.int64), np.frombuffer(made, np.uint8))


def rewritten(normalizer: BertNormalizer, strip: bool | None) -> list[int]:
    """Code points from 128 on that do not stay what they are."""
    codes = set(np.flatnonzero(kinds() == NAMES.index("N")).tolist()) if strip else set()
    for code in [*range(128, 0xD800), *range(0xE000, ASSIGNED)]:
        character = chr(code)
        if (strip and parts_of(character, False) != character) or (
            normalizer.lowercase and lower(character) != character
        ):
            codes.add(code)
    return sorted(codes)


def marks_in_order() -> list[int]:
    """Marks that BERT keeps and that decomposition may sort: their neighbours matter."""
    nonspacing = kinds() == NAMES.index("N")
    return [
        code for code in range(0x300, ASSIGNED) if combining(chr(code)) and not nonspacing[code]
    ]
