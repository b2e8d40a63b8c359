"""Where tokens come from: the characters of a text that each one stands for, of many texts at once.

Each stage says of what it makes where that was before: the model of its tokens in bytes, the
pre-tokenizer of its bytes, the normalizer of its characters. The way back goes through all three.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .normalizers.alignment import normal_form, through
from .patterns.automaton import NoAutomatonError
from .pre_tokenizers.cutting_many import Cutter
from .stage_by_stage import bulk_cutter, each, many_pieces, opening, plain_steps
from .text.segments import (
    Pieces,
    UnknownTextError,
    character_offsets,
    characters_of,
    is_raw,
    joined_texts,
)
from .vocabulary import Vocabulary
from .word.vocabulary import WordVocabulary


class Located(NamedTuple):
    """The tokens of parts of texts: ids (n,), the characters (n, 2) of its part that each comes
    from, which piece of its part it is in (n,); and how many tokens and pieces each part has.

    Of a part that is normalized already the characters are those of the whole text.
    """

    ids: np.ndarray
    spans: np.ndarray
    words: np.ndarray
    tokens: np.ndarray
    pieces: np.ndarray


def located(tok: Vocabulary, parts: Sequence[str]) -> Located:
    """The tokens of parts of texts that hold no special tokens."""
    try:
        cutter = bulk_cutter(tok)
        straight = straight_back(tok) and all(map(is_raw, parts))
        found = (located_straight(tok, parts) if straight
                 else located_together(tok, cutter, parts))
    except (NoAutomatonError, UnknownTextError):  # of which the text's own place is told
        found = None
    if found is not None:
        return found
    rows = [located_alone(tok, part) for part in parts]
    return Located(*map(np.concatenate, zip(NOTHING, *rows)))


NOTHING = Located(
    np.empty(0, np.int32), np.empty((0, 2), np.int64), *(np.empty(0, np.int64) for _ in range(3))
)


def straight_back(tok: Vocabulary) -> bool:
    """Does the normalizer itself know the way from its bytes to the characters of the text?"""
    return hasattr(tok.normalizer, "original") and tok.pre_tokenizer is None


def located_alone(tok: Vocabulary, part: str) -> Located:
    """The definition: one part, stage after stage."""
    pre_tokenizer: Any = tok.pre_tokenizer
    straight = straight_back(tok) and is_raw(part)
    normal, origin = (tok.normalizer(part), None) if straight else tok._aligned(part)
    pieces = tok._cut(normal)
    ids, spans = tok.model(pieces)
    words = np.searchsorted(pieces.spans[:, 0], spans[:, 0], "right") - 1
    if straight:
        places = tok.normalizer.original(part, spans)
    else:
        seen = normal
        if hasattr(pre_tokenizer, "aligned"):
            seen, found = pre_tokenizer.aligned(normal)
            origin = found if origin is None else through(origin, found)
        places = character_offsets(seen, spans)
        places = places if origin is None else through(origin, places)
    return Located(ids, places, words, np.array([len(ids)]), np.array([len(pieces.spans)]))


def located_together(tok: Vocabulary, cutter: Cutter, parts: Sequence[str]) -> Located | None:
    """The same of all parts, each stage over all of them; None if one has pairs of surrogates."""
    normal, origins = aligned_together(tok, parts)
    data, segments = joined_texts(normal)
    edges = np.cumsum([0, *map(len, normal)])
    character = characters_of(data)
    if character[-1] != edges[-1]:  # two surrogates have become one character
        return None
    made = cutter(data, segments, opening(normal))
    ids, spans = tokens_of(tok, Pieces(made.data, made.spans))
    words = np.searchsorted(made.spans[:, 0], spans[:, 0], "right") - 1
    starts, last = spans[:, 0], np.maximum(spans[:, 1] - 1, spans[:, 0])
    if made.source is not None:
        starts, last = made.source[starts], made.source[last]
    ends = np.where(spans[:, 1] > spans[:, 0], character[last] + 1, character[starts])
    before = np.concatenate([[0], np.cumsum(made.counts)])
    edge = np.searchsorted(words, before)
    tokens = np.diff(edge)
    places = np.stack([character[starts], ends], 1) - np.repeat(edges[:-1], tokens)[:, None]
    for k, origin in enumerate(origins):
        if origin is not None:
            places[edge[k] : edge[k + 1]] = through(origin, places[edge[k] : edge[k + 1]])
    return Located(ids, places, words - np.repeat(before[:-1], tokens), tokens, made.counts)


def tokens_of(tok: Vocabulary, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Ids (n,) of the pieces, and their byte spans (n, 2)."""
    if isinstance(tok.model, WordVocabulary):
        return many_pieces(tok)(*pieces)[0], pieces.spans
    return tok.model(pieces)


def located_straight(tok: Vocabulary, parts: Sequence[str]) -> Located | None:
    """The same where the normalizer itself knows the way back; each part is one piece."""
    data, segments = joined_texts(list(parts))
    edges = np.cumsum([0, *map(len, parts)])
    character = characters_of(data)
    if character[-1] != edges[-1]:
        return None
    made = tok.normalizer.placed(data, segments)
    full = made.segments[:, 1] > made.segments[:, 0]
    pieces = made.segments[full]
    ids, spans = tok.model(Pieces(made.data, pieces))
    words = np.searchsorted(pieces[:, 0], spans[:, 0], "right") - 1
    owner = np.flatnonzero(full)[words]  # part of each token
    ends = np.append(made.origin, 0)[spans[:, 1]]
    ends = np.where(spans[:, 1] == pieces[words, 1], made.lasts[owner], ends)
    places = character[np.stack([made.origin[spans[:, 0]], ends], 1)] - edges[owner][:, None]
    tokens = np.bincount(owner, minlength=len(parts))
    return Located(ids, places, np.zeros_like(words), tokens, full.astype(np.int64))


def aligned_together(
    tok: Vocabulary, parts: Sequence[str]
) -> tuple[list[str], list[np.ndarray | None]]:
    """The parts normalized, and the characters (n, 2) they come from; None: each from its own."""
    placed = getattr(tok.pre_tokenizer, "needs_place", False)
    if placed or not all(map(is_raw, parts)):
        rows = [tok._aligned(part) for part in parts]
        return [text for text, _ in rows], [origin for _, origin in rows]
    texts = list(parts)
    origins: list[np.ndarray | None] = [None] * len(texts)
    for step in plain_steps(tok.normalizer):
        if step is None:
            continue
        changed: Sequence[int] = range(len(texts))
        new = texts
        if getattr(step, "by_character", False):  # of each character it makes at most one, or more
            new = each(step, texts)
            changed = [k for k, text in enumerate(texts) if len(new[k]) != len(text)]
        for k in changed:
            new[k], found = normal_form(step, texts[k])
            before = origins[k]
            origins[k] = found if before is None else through(before, found)
        texts = new
    return texts, origins
