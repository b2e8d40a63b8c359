"""Where tokens come from: the characters of a text that each one stands for, of many texts at once.

Each stage says of what it makes where that was before: the model of its tokens in bytes, the
pre-tokenizer of its bytes, the normalizer of its characters. The way back goes through all three.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .normalizers.alignment import through
from .patterns.automaton import NoAutomatonError
from .pre_tokenizers.cutting_many import Cutter
from .stage_by_stage import bulk_cutter, opening
from .text.segments import Pieces, character_offsets, is_raw, joined_texts
from .vocabulary import Vocabulary


class Located(NamedTuple):
    """The tokens of a part of a text: ids (n,), the characters (n, 2) that each comes from, which
    piece each is part of (n,), and how many pieces there are.

    Of a part that is normalized already the characters are those of the whole text.
    """

    ids: np.ndarray
    spans: np.ndarray
    words: np.ndarray
    pieces: int


def located(tok: Vocabulary, parts: Sequence[str]) -> list[Located]:
    """The tokens of parts of texts that hold no special tokens."""
    try:
        found = None if straight_back(tok) else located_together(tok, bulk_cutter(tok), parts)
    except NoAutomatonError:
        found = None
    return [located_alone(tok, part) for part in parts] if found is None else found


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
        return Located(ids, tok.normalizer.original(part, spans), words, len(pieces.spans))
    seen = normal
    if hasattr(pre_tokenizer, "aligned"):
        seen, found = pre_tokenizer.aligned(normal)
        origin = found if origin is None else through(origin, found)
    spans = character_offsets(seen, spans)
    spans = spans if origin is None else through(origin, spans)
    return Located(ids, spans, words, len(pieces.spans))


def located_together(
    tok: Vocabulary, cutter: Cutter, parts: Sequence[str]
) -> list[Located] | None:
    """The same of all parts, each stage over all of them; None if one has pairs of surrogates."""
    rows = [tok._aligned(part) for part in parts]
    normal = [text for text, _ in rows]
    data, segments = joined_texts(normal)
    first = (data & 0xC0) != 0x80
    character = np.append(np.cumsum(first) - 1, np.count_nonzero(first))  # of each byte
    edges = np.cumsum([0, *map(len, normal)])
    if character[-1] != edges[-1]:  # two surrogates have become one character
        return None
    made = cutter(data, segments, opening(normal))
    ids, spans = tok.model(Pieces(made.data, made.spans))
    words = np.searchsorted(made.spans[:, 0], spans[:, 0], "right") - 1
    starts, last = spans[:, 0], np.maximum(spans[:, 1] - 1, spans[:, 0])
    if made.source is not None:
        starts, last = made.source[starts], made.source[last]
    whole = np.stack([character[starts], character[last] + 1], 1)
    whole[spans[:, 0] == spans[:, 1], 1] = whole[spans[:, 0] == spans[:, 1], 0]
    pieces = np.concatenate([[0], np.cumsum(made.counts)])
    tokens = np.searchsorted(words, pieces)
    found = []
    for k, (_, sources) in enumerate(rows):
        inside = slice(tokens[k], tokens[k + 1])
        back = whole[inside] - edges[k]
        back = back if sources is None else through(sources, back)
        found.append(Located(ids[inside], back, words[inside] - pieces[k], int(made.counts[k])))
    return found
