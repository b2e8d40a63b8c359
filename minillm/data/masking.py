"""Masked language modelling: hide some tokens, and ask for what stood there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minillm.checks import check, is_number, is_whole
from minillm.data.loader import IGNORE_INDEX


def mask_tokens(ids, mask_token: int, vocab_size: int, special: Sequence[int] = (),
                share: float = 0.15, seed: Any = 0, mask=None):
    """ids (B, T) -> (inputs, labels), both (B, T) and new: what a BERT sees, and what it is asked.

    In each row ``share`` of the tokens are chosen, rounded, but at least one; never ``special``
    ones (``mask_token`` is one of them), nor padding, where ``mask`` (B, T) is False. Of all that
    are chosen, 80 % become ``mask_token``, 10 % any token that is not special, and the others stay
    as they are, so that a token seen says little about whether it is right. Labels are the chosen
    tokens, and IGNORE_INDEX elsewhere. The same seed, a whole number or several, chooses the same.
    Source: Devlin et al. (2019), section 3.1.
    """
    check("share", share, is_number(share) and 0 < share <= 1, "a share above 0 and at most 1")
    check("vocab_size", vocab_size, is_whole(vocab_size) and vocab_size >= 1,
          "a whole number of at least 1")
    ids = np.array(ids)
    if ids.ndim != 2 or ids.dtype.kind not in "iu":
        raise ValueError(f"ids has shape {ids.shape} and dtype {ids.dtype}; expected (B, T) whole "
                         "numbers")
    never = sorted({mask_token, *special})
    for name, values in (("ids", ids.ravel()), ("special and mask_token", np.array(never))):
        if not ((values >= 0) & (values < vocab_size)).all():
            bad = values[(values < 0) | (values >= vocab_size)][0]
            raise ValueError(f"{name} holds {bad}, outside [0, {vocab_size})")
    ordinary = np.setdiff1d(np.arange(vocab_size), never)
    check("special", special, len(ordinary) > 0, "to leave tokens of the vocabulary that are not")
    may = ~np.isin(ids, never)
    if mask is not None:
        if np.shape(mask) != ids.shape:
            raise ValueError(f"mask has shape {np.shape(mask)}, but ids {ids.shape}; expected the "
                             "same")
        may &= np.asarray(mask, bool)
    rng = np.random.default_rng(seed)
    # The first of a row in a random order, in which what may not be chosen comes last.
    order = np.argsort(np.where(may, rng.random(ids.shape), 2), axis=1)
    possible = may.sum(axis=1)
    counts = np.minimum(np.maximum(np.floor(share * possible + 0.5), 1), possible)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(ids.shape[1])[None], axis=1)
    chosen = ranks < counts[:, None]
    places = rng.permutation(np.flatnonzero(chosen))
    hidden, other = int(0.8 * len(places) + 0.5), int(0.9 * len(places) + 0.5)
    labels = np.where(chosen, ids, IGNORE_INDEX)
    ids.flat[places[:hidden]] = mask_token
    ids.flat[places[hidden:other]] = rng.choice(ordinary, other - hidden)
    return ids, labels


class MaskedLoader:
    """Batches for a BERT from a loader whose batches begin with ids and end with labels.

    In between may stand a mask of padding and more, which are passed on: (ids, …, labels) becomes
    (inputs, …, labels of mask_tokens). Each batch of each epoch hides other tokens, decided by
    (seed, epoch, batch), so that a resumed run sees what it would have seen. The other settings
    are those of mask_tokens; ``special`` must name the token that the loader pads with.
    """

    def __init__(self, loader: Any, mask_token: int, vocab_size: int, special: Sequence[int] = (),
                 share: float = 0.15, seed: int = 0):
        check("seed", seed, is_whole(seed) and seed >= 0, "a whole number of at least 0")
        self.loader, self.seed = loader, int(seed)
        self.settings = (int(mask_token), int(vocab_size), [int(id) for id in special], share)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        batches = iter(self.loader)
        while True:
            before = self.loader.state()
            batch = next(batches, None)
            if batch is None:
                return
            ids, *others, _ = batch
            seed = [self.seed, before["epoch"], before["batch"]]
            inputs, labels = mask_tokens(ids, *self.settings, seed)
            yield (inputs, *others, labels)

    def state(self) -> dict[str, Any]:
        """Where it stands; see DataLoader."""
        return self.loader.state() | {"masking": [self.seed, *self.settings]}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on exactly where ``state`` was taken; refuses the state of another loader."""
        if not isinstance(state, dict):
            raise TypeError(f"state={state!r:.60}: expected what state() of a loader returns")
        mine = [self.seed, *self.settings]
        if state.get("masking") != mine:
            raise ValueError(f"state['masking']={state.get('masking')!r:.80} belongs to another "
                             f"loader; this one has {mine}")
        self.loader.resume({name: v for name, v in state.items() if name != "masking"})
