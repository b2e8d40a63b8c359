"""A Seq2Seq that has been given its source is, to generation, a model of the next target token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..generation import beam_search, generate
from ..generation.sampling import check_count, check_ordered, check_tokens, is_row
from .inputs import check_share

TOGETHER = 64  # sources that are translated side by side


class GivenSource:
    """The decoder with sources in mind: what generate and beam_search take for a model.

    source: (N, S), mask: as of Seq2Seq.logits. Each source serves as many rows of the target as
    the others, which stand together, until ``follow`` or the cache's ``select`` says otherwise.
    """

    def __init__(self, model: Any, source: Any, mask: Any = None):
        self.model, self.config = model, model.config
        self.source = np.array(source)
        self.mask = None if mask is None else np.array(mask)
        self.of = np.zeros(0, np.int64)  # the source of each row

    def replica(self) -> GivenSource:
        return GivenSource(self.model.replica(), self.source, self.mask)

    def forward(self, ids):
        """Logits of whole targets, everything computed anew: ids (B, T) -> (B, T, V)."""
        if len(self.of) != len(ids):
            N = len(self.source)
            self.of = np.arange(N).repeat(check_share(len(ids), N) // N)
        mask = None if self.mask is None else self.mask[self.of]
        return self.model.forward(self.source[self.of], ids, mask)

    def follow(self, parents: list[int]) -> None:
        """From now on row i continues what was row ``parents[i]``."""
        self.of = self.of[parents]

    def new_cache(self, batch: int):
        return self.model.new_cache(self.source, self.mask, batch)

    def extend(self, ids, cache, start=None):
        return self.model.extend(ids, cache, start)


def translate(model: Any, source: Any, max_new_tokens: int, start: int, stop: Sequence[int] = (),
              beams: int = 1, alpha: float = 0.0, cache: bool = True):
    """The target that a Seq2Seq writes for one source, a list of ids, or for each of several.

    The target begins after the token ``start`` and ends before the first in ``stop``, or after
    ``max_new_tokens``; neither is in the result. With one beam each token is the most probable
    one; with more, see beam_search. ``cache=False`` computes
    everything anew for each token, with the same result.
    """
    check_ordered("source", source)
    single = len(source) == 0 or not is_row(source[0])
    c = model.config
    rows = [check_tokens(f"source {i}", row, c.source_vocab or c.vocab_size)
            for i, row in enumerate([source] if single else source)]
    for i, row in enumerate(rows):
        if len(row) == 0:
            raise ValueError(f"source {i} is empty: expected at least one token to translate")
    check_count("max_new_tokens", max_new_tokens, 0)
    check_count("beams", beams, 1)
    check_tokens("start", [start], c.vocab_size)
    if max_new_tokens > c.context:
        raise ValueError(f"max_new_tokens={max_new_tokens}: the context of this model holds "
                         f"{c.context}")
    if beams > c.vocab_size:
        raise ValueError(f"beams={beams} is wider than the vocabulary of {c.vocab_size} tokens, "
                         "so the first step could not fill it; use fewer")
    found = []
    for first in range(0, len(rows), TOGETHER):
        given = GivenSource(model, *padded(rows[first:first + TOGETHER]))
        begun = [[start]] * len(given.source)
        if beams == 1:
            found += generate(given, begun, max_new_tokens, 0, stop=stop, cache=cache)
        else:
            each = beam_search(given, begun, max_new_tokens, beams, stop, alpha, cache)
            found += [texts[0][0] for texts in each]
    targets = [ids[1:] for ids in found]
    return targets[0] if single else targets


def padded(rows: Sequence[Any]):
    """Rows of ids of any lengths as one array (N, S), and a mask (N, S), True at the ids."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(mask.shape, np.int64)
    ids[mask] = np.concatenate(rows)
    return ids, mask
