"""The arrays of the unigram kernel, and the stages that run in kernels before it."""

import re
from typing import Any

import numpy as np

from ...backends import active_backend
from ..patterns.named_rules import RULES
from ..pre_tokenizers.metaspace import SPACE, Metaspace
from ..pre_tokenizers.rewriting_many import with_marks
from ..pre_tokenizers.split_rules import Split

INSIDE = re.compile("[^▁]▁")  # a ▁ after something else: a word may end inside a piece
REMEMBERED = 1 << 19, 1 << 22, 1 << 21  # slots for words, bytes of long words, ids of many


def pieces_of_rule(
    data: np.ndarray, segments: np.ndarray, rule: str
) -> tuple[np.ndarray, np.ndarray]:
    """Spans (p, 2) of the pieces that a named rule cuts the segments (n, 2), in order, into.

    Also (n,), how many pieces there are up to the end of each segment.
    """
    from ..pre_tokenizers.scanning_kernel import piece_ends
    from ..text.unicode_classes import class_table

    segments = np.ascontiguousarray(segments, np.int64)
    stops = np.empty(int((segments[:, 1] - segments[:, 0]).sum()), np.int64)
    stops = stops[: piece_ends(data, segments, RULES.index(rule), class_table(), stops)]
    owner = np.searchsorted(segments[:, 1], stops)
    starts = np.maximum(np.concatenate([[0], stops[:-1]])[: len(stops)], segments[owner, 0])
    last = np.searchsorted(owner, np.arange(len(segments)), "right")
    return np.stack([starts, stops], 1), last


def memory_for(length: int, words: Any = None) -> Any:
    """What the kernel remembers, and its scratch room for pieces of up to `length` bytes."""
    from ..text.memory_kernel import new_memory
    from .viterbi_kernel import Memory

    return Memory(
        words=words or new_memory(*REMEMBERED),
        best=np.empty(length + 1), second=np.empty(length + 1),
        edges=np.zeros(length + 1, np.int64), path=np.empty(2 * length, np.int64),
    )


def with_room(memory: Any, length: int) -> Any:
    """The memory, its scratch room large enough."""
    return memory if length < memory.best.size else memory_for(length, memory.words)


def spans_of_path(model: Any, data: np.ndarray, i: int, j: int) -> np.ndarray:
    """Byte spans (n, 2) of the tokens of data[i:j]; the definition is ``Unigram.ids_of``."""
    from .viterbi_kernel import find_path

    memory = model._memories.take()
    roomy = with_room(memory, j - i)
    count = find_path(data, i, j, model._model, roomy)
    ends, edges = roomy.path[: 2 * count].reshape(-1, 2)[::-1].T.copy()
    model._memories.give_back(memory)
    unknown = edges & 0xFFFFFF == (-1 if model.unk_id is None else model.unk_id)
    single = model.variant == "sentencepiece"
    first = np.ones(count, bool)  # is it not joined to the unknown character before?
    first[1:] = ~(unknown[1:] & unknown[:-1]) | (model.byte_fallback and single)
    starts, ends, unknown = (edges >> 24)[first], ends[np.append(first[1:], True)], unknown[first]
    text, sizes = data[i:j].tobytes(), np.ones(len(starts), np.int64)
    for k in np.flatnonzero(unknown).tolist():
        sizes[k] = len(model.unknown_ids(text, int(starts[k]), int(ends[k])))
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    starts, ends, several = (np.repeat(column, sizes) for column in (starts, ends, sizes > 1))
    starts = np.where(several & single, starts + within, starts)  # each byte for itself
    return i + np.stack([starts, np.where(several & single, starts + 1, ends)], 1)


def trie_of(pieces: dict[bytes, tuple[int, float]]) -> np.ndarray:
    """The trie (units,) uint64 of ``text/trie_kernel.py`` over the pieces."""
    from ..text.trie_kernel import build_trie

    tokens = sorted(pieces)
    starts = np.concatenate([[0], np.cumsum([len(token) for token in tokens])]).astype(np.int64)
    data = np.frombuffer(b"".join(tokens) or b"\0", np.uint8)
    ids = np.array([pieces[token][0] for token in tokens], np.int64)
    queue = np.empty((starts[-1] + 1, 4), np.int64)
    size = (2 * len(data) + 1024) // 256 * 256
    while True:
        units, taken = np.zeros(size, np.uint64), np.zeros(size, np.bool_)
        used = build_trie(
            data, starts, np.arange(len(tokens)), ids, units, taken, queue,
            np.empty(256, np.int64), np.empty(256, np.int64),
        )
        if used:
            return units[:used].copy()
        size *= 2


def bulk_encoder(model: Any, normalizer: Any, pre_tokenizer: Any) -> Any:
    """``(data, segments) -> (ids, ends)`` through all three stages, or None for want of one."""
    if active_backend() != "numba" or (normalizer and not hasattr(normalizer, "many")):
        return None
    spaced = isinstance(pre_tokenizer, Metaspace) and (
        pre_tokenizer.mark == SPACE and pre_tokenizer.scheme != "first"
    )
    rule = getattr(pre_tokenizer, "rule", None) if isinstance(pre_tokenizer, Split) else None
    if not (pre_tokenizer is None or spaced or rule):
        return None

    def run(data: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if normalizer:
            data, segments = normalizer.many(data, segments)
        if not spaced:
            return model.encode(data, segments, rule or "given")
        front = np.full(len(segments), pre_tokenizer.scheme == "always")
        data, segments, _ = with_marks(data, segments, front, places=False)
        return model.encode(data, segments, "metaspace" if pre_tokenizer.split else "given")

    return run


def kernel_model(model: Any, lowest: float) -> Any:
    """The pieces of a Unigram, as the kernel wants them.

    lowest: the sum below which the kernel sets sums back to 0.
    """
    from .viterbi_kernel import Model

    values = model.scores.copy()
    for id, score in model.matched.values():
        values[id] = score
    exact = model.variant == "huggingface"
    return Model(
        units=trie_of(model.matched), values=values, byte_ids=np.array(model.byte_ids, np.int32),
        unk_id=-1 if model.unk_id is None else model.unk_id, unk_score=float(model.unk_score),
        fallback=model.byte_fallback, apart=model.byte_fallback and not exact, single=not exact,
        words=not any(INSIDE.search(token.decode("utf-8", "replace")) for token in model.matched),
        bound=float(max(np.abs(values).max(initial=0.0), abs(model.unk_score))),
        epsilon=2.0**-51 if exact else 2.0**-22, longest=max(model.longest, 4),
        lowest=lowest,
    )
