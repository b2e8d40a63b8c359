"""What models are given: ids and masks, checked."""

from __future__ import annotations

import numpy as np


def check_ids(ids, context: int, before: int = 0):
    """ids as a (B, T) integer array that fits the context, or a clear error.

    It is a copy: what the caller does to theirs before backward changes no gradient.
    """
    ids = np.array(ids)
    if ids.ndim != 2 or ids.size == 0:
        raise ValueError(f"ids has shape {ids.shape}; expected (B, T) with at least one token")
    if before + ids.shape[1] > context:
        raise ValueError(f"ids has {before + ids.shape[1]} positions, but the context holds "
                         f"{context}; pass the last {context} only")
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids has dtype {ids.dtype}; expected integers, as a tokenizer returns")
    return ids


def check_mask(mask, shape: tuple[int, ...]):
    """mask as a (B, T) boolean array with no hole in a row, or a clear error."""
    mask = np.array(mask)
    if mask.shape != shape:
        raise ValueError(f"mask has shape {mask.shape}, but ids {shape}; expected the same")
    if mask.dtype != bool and not (mask.dtype.kind in "iu" and ((mask == 0) | (mask == 1)).all()):
        raise ValueError(f"mask has dtype {mask.dtype}; expected True (or 1) at real tokens and "
                         "False (or 0) at padding")
    mask = mask.astype(bool)
    beginnings = mask[:, :1].sum(axis=1) + (mask[:, 1:] & ~mask[:, :-1]).sum(axis=1)
    if (beginnings > 1).any():
        raise ValueError(f"mask row {int(beginnings.argmax())} has a hole: padding stands between "
                         "its tokens; expected padding at the left or the right only")
    return mask
