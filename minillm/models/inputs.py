"""What models are given: ids and masks, checked."""

from __future__ import annotations

import numpy as np


def check_ids(ids, context: int, before: int = 0, name: str = "ids",
              vocab_size: int | None = None):
    """ids as a (B, T) integer array that fits the context, or a clear error.

    It is a copy: what the caller does to theirs before backward changes no gradient. Without
    ``vocab_size`` the table of embeddings says whether they are in the vocabulary.
    """
    ids = np.array(ids)
    if ids.ndim != 2 or ids.size == 0:
        raise ValueError(f"{name} has shape {ids.shape}; expected (B, T) with at least one token")
    if before + ids.shape[1] > context:
        raise ValueError(f"{name} has {before + ids.shape[1]} positions, but the context holds "
                         f"{context}; pass the last {context} only")
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {ids.dtype}; expected integers, as a tokenizer returns")
    if vocab_size is not None and not (ids.min() >= 0 and ids.max() < vocab_size):
        bad = ids[(ids < 0) | (ids >= vocab_size)][0]
        raise ValueError(f"{name} holds {bad}, outside [0, {vocab_size}): these ids come from "
                         "another vocabulary than the model's")
    return ids


def attended(mask, shape: tuple[int, ...], name: str = "mask", ids: str = "ids"):
    """Which positions attention may look at, (B, 1, 1, T), None for all; and where each stands.

    mask: see check_mask; None if nothing is padding. Positions count real tokens, (T,) for all
    rows alike or (B, T).
    """
    where = np.arange(shape[1])
    if mask is None:
        return None, where
    if getattr(mask, "dtype", np.dtype(bool)).kind in "iu" and mask.size and mask.max() > 1:
        return within_documents(mask, shape, name, ids)
    mask = check_mask(mask, shape, name, ids)
    start = mask.argmax(axis=1)
    if start.any():
        where = np.maximum(where - start[:, None], 0)
    return mask[:, None, None, :], where


def within_documents(numbers, shape: tuple[int, ...], name: str, ids: str):
    """attended for rows of several documents: each position sees its own document, (B, 1, T, T).

    numbers: (B, T), the documents of a row numbered from 1 in their order, 0 at padding, which
    stands at the right. Positions begin again with each document.
    """
    numbers = np.array(numbers)
    if numbers.shape != shape:
        raise ValueError(f"{name} has shape {numbers.shape}, but {ids} {shape}; expected the same")
    steps = np.diff(numbers, axis=1, prepend=1)
    wrong = (numbers < 0) | ((steps != 0) & (steps != 1) & (numbers != 0)) \
        | ((numbers != 0) & (np.roll(numbers, 1, axis=1) == 0) & (np.arange(shape[1]) > 0))
    if wrong.any():
        row, place = np.argwhere(wrong)[0]
        raise ValueError(f"{name} row {row} has document {numbers[row, place]} at position "
                         f"{place}; expected the numbers 1, 2, … in this order, then 0 at padding")
    places = np.arange(shape[1])
    begins = np.where(steps != 0, places, 0)
    where = places - np.maximum.accumulate(begins, axis=1)
    same = numbers[:, None, :, None] == numbers[:, None, None, :]
    return same & (numbers != 0)[:, None, None, :], where


def check_mask(mask, shape: tuple[int, ...], name: str = "mask", ids: str = "ids"):
    """mask as a (B, T) boolean array with no hole in a row, or a clear error."""
    mask = np.array(mask)
    if mask.shape != shape:
        raise ValueError(f"{name} has shape {mask.shape}, but {ids} {shape}; expected the same")
    if mask.dtype != bool and not (mask.dtype.kind in "iu" and ((mask == 0) | (mask == 1)).all()):
        raise ValueError(f"{name} has dtype {mask.dtype}; expected True (or 1) at real tokens and "
                         "False (or 0) at padding")
    mask = mask.astype(bool)
    beginnings = mask[:, :1].sum(axis=1) + (mask[:, 1:] & ~mask[:, :-1]).sum(axis=1)
    if (beginnings > 1).any():
        raise ValueError(f"{name} row {int(beginnings.argmax())} has a hole: padding stands "
                         "between its tokens; expected padding at the left or the right only")
    return mask


def check_rows(**arrays) -> None:
    """Raise a ValueError unless all have as many rows."""
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        found = " and ".join(f"{name} {count} rows" for name, count in counts.items())
        raise ValueError(f"{found}: expected as many in each, since row i of one belongs to row i "
                         "of the other")


def check_share(batch: int, sources: int) -> int:
    """``batch`` if so many rows can be shared evenly among sources, or a clear error."""
    if batch < 1 or batch % sources:
        raise ValueError(f"batch={batch} rows do not divide evenly among {sources} sources; "
                         "expected a multiple")
    return batch


def check_start(start, B: int, end: int):
    """start as the (B,) first real positions before ``end``, 0 if None, or a clear error."""
    start = np.zeros(B, np.int64) if start is None else np.asarray(start)
    if start.shape != (B,) or start.dtype.kind not in "iu" \
            or not 0 <= min(start.tolist()) <= max(start.tolist()) < end:
        raise ValueError(f"start={start.tolist()!r}: expected ({B},) whole numbers from 0 to "
                         f"{end - 1}, so that each row has a token that is no padding")
    return start


def check_cache(cache, layers: int, expected: tuple[int, ...], make: str) -> None:
    """Raise a ValueError unless ``cache`` has keys of that shape for each layer."""
    if len(cache) == layers and all(part.keys.shape == expected for part in cache):
        return
    found = sorted({part.keys.shape for part in cache})
    raise ValueError(f"cache has {len(cache)} layers of shapes {found}; this model and these "
                     f"ids need {layers} layers of (rows, heads, context, width of a head) = "
                     f"{expected}: make it with {make}")
