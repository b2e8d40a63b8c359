"""Batches of input and target ids from a TokenDataset, shuffled by seed and exactly resumable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..checks import check, is_whole
from .making_batches import BatchMakers
from .tokens import TokenDataset, check_positive

Batch = tuple[np.ndarray, ...]

IGNORE_INDEX = -100  # label of positions that do not count in the loss
LAYOUTS = ("stream", "documents", "packed", "sliding")


class DataLoader:
    """Iterates over batches (x, y), int64 (B, T): y is what follows each token of x.

    With ``documents=True`` and packed windows (x, documents, y), where documents (B, T) numbers
    the documents of each row from 1, 0 at padding; a GPT that gets it looks at no other document.

    windows:
      "stream"     windows of ``context`` tokens at every ``stride`` (default: ``context``),
                   across document ends; y is x shifted left by one. What is left after the last
                   whole window is a row too unless ``drop_last``, padded as below.
      "documents"  one document per row: x is the end token (which announces a document), then
                   the document; y is the document with its end token, so that the losses of a
                   row add up to -log P(document). Padding: end token in x, ``-100`` in y.
      "packed"     as "documents", but each row takes as many whole documents as fit.
      "sliding"    windows of ``context`` tokens at every ``stride`` of each document, announced
                   as above and padded; none reaches into the next document. Where the last
                   window of a document has fewer than ``shortest`` tokens, and is not its only
                   one, it is left out; ``dropped`` counts the tokens that stand in no window.
    "documents" and "packed" cut documents longer than ``context``; ``truncated`` counts them.

    ``workers`` processes make batches ahead of time, the very same ones in the same order; they
    start with the first batch, which so comes about a second later.

    One pass of ``for x, y in loader`` is the rest of an epoch (all of it, at first); the next
    pass is the next epoch, in another order. The order depends on (seed, epoch) alone (NumPy's
    ``default_rng``). A batch belongs to the caller; with ``reuse=True`` only until the next one,
    which comes in the same two arrays. After an exception on the way to a batch, the next pass
    begins with that batch.
    """

    def __init__(
        self,
        dataset: TokenDataset,
        batch_size: int,
        context: int,
        stride: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = True,
        windows: str = "stream",
        reuse: bool = False,
        documents: bool = False,
        workers: int = 0,
        shortest: int = 1,
    ) -> None:
        check_positive("batch_size", batch_size)
        check_positive("context", context)
        if windows not in LAYOUTS:
            raise ValueError(f"windows={windows!r} is not a layout; use one of {LAYOUTS}")
        if stride is not None and windows not in ("stream", "sliding"):
            raise ValueError(f"stride={stride} has no meaning with windows={windows!r}; drop it")
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seed={seed!r}: expected a whole number of at least 0; a run is "
                             "resumed by repeating the order that it stands for")
        check("documents", documents, not documents or windows == "packed",
              "False unless windows='packed', where rows hold several documents")
        check("shortest", shortest, is_whole(shortest) and 1 <= shortest <= context,
              f"a number of tokens from 1 to context={context}")
        check("shortest", shortest, shortest == 1 or windows == "sliding",
              "1 unless windows='sliding', where a document's last window may be short")
        check("workers", workers, is_whole(workers) and workers >= 0,
              "a whole number of processes, or 0")
        self.dataset = dataset  # below, plain numbers: state() is stored as JSON
        self.batch_size, self.context, self.seed = int(batch_size), int(context), int(seed)
        self.stride = context if stride is None else stride
        self.shuffle, self.drop_last = bool(shuffle), bool(drop_last)
        self.windows, self.reuse, self.documents = windows, reuse, bool(documents)
        self.workers = int(workers)
        self.shortest = int(shortest)
        self.epoch = self.batch = self.truncated = self.dropped = 0
        self.starts, self.lengths = self._rows()
        if len(self) == 0:
            raise ValueError(
                f"dataset has {len(dataset)} tokens, which give {len(self.starts)} rows of "
                f"context={context}, too few for a batch of batch_size={batch_size}; use a smaller "
                "context or batch, a smaller stride, drop_last=False, or more text"
            )
        self._order: tuple[int, np.ndarray] | None = None
        self._buffers: Batch | None = None
        self._makers: BatchMakers | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_buffers": None, "_makers": None}

    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Where in the dataset each row's targets begin, and how many there are."""
        if self.windows == "stream":
            count = self.dataset.window_count(self.context, self.stride)
            self.stride = int(self.stride)
            starts = np.arange(count + 1, dtype=np.int64) * self.stride + 1
            lengths = np.minimum(len(self.dataset) - starts, self.context)
            covered = starts[count - 1] + self.context if count else 1
            if self.drop_last or lengths[-1] < 1 or covered == len(self.dataset):
                return starts[:-1], lengths[:-1]
            return starts, lengths
        bounds = self.dataset.document_bounds
        if self.windows == "sliding":
            return self._sliding(bounds)
        lengths = np.diff(bounds)
        self.truncated = int((lengths > self.context).sum())
        first = np.arange(len(lengths))  # the document each row begins with
        if self.windows == "packed":
            row_firsts, at = [], 0
            while at < len(lengths):
                row_firsts.append(at)
                fits = np.searchsorted(bounds, bounds[at] + self.context, side="right") - 1
                at = max(at + 1, int(fits))
            first = np.array(row_firsts, dtype=np.int64)
        ends = np.append(bounds[first[1:]], bounds[-1:])
        return bounds[first], np.minimum(ends - bounds[first], self.context)

    def _sliding(self, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Windows at every stride of each document, up to the one that reaches its end."""
        check_positive("stride", self.stride)
        self.stride, size = int(self.stride), self.context
        check("stride", self.stride, self.stride <= size,
              f"at most context={size}, or tokens between two windows would be lost")
        lengths = np.diff(bounds)
        counts = 1 + np.maximum(-(-(lengths - size) // self.stride), 0)  # windows of a document
        last = lengths - (counts - 1) * self.stride  # tokens of its last window
        short = (counts > 1) & (last < self.shortest)
        self.dropped = int((last - (size - self.stride))[short].sum())
        counts = counts - short
        before = np.repeat(np.cumsum(counts) - counts, counts)  # windows of earlier documents
        starts = np.repeat(bounds[:-1], counts) + self.stride * (np.arange(counts.sum()) - before)
        return starts, np.minimum(np.repeat(bounds[1:], counts) - starts, size)

    def __len__(self) -> int:
        """Batches per epoch."""
        extra = 0 if self.drop_last else self.batch_size - 1
        return (len(self.starts) + extra) // self.batch_size

    def order(self, epoch: int) -> np.ndarray:
        """The rows in the order of an epoch."""
        if not self.shuffle:
            return np.arange(len(self.starts))
        if self._order is None or self._order[0] != epoch:
            shuffled = np.random.default_rng([self.seed, epoch]).permutation(len(self.starts))
            self._order = epoch, shuffled
        return self._order[1]

    def __iter__(self) -> Iterator[Batch]:
        order, epoch, first = self.order(self.epoch), self.epoch, self.batch
        rows = (order[b * self.batch_size : (b + 1) * self.batch_size]
                for b in range(first, len(self)))
        for taken, batch in enumerate(self._made(rows), first):
            if (self.epoch, self.batch) != (epoch, taken):
                return  # resumed elsewhere meanwhile
            self.batch += 1  # before handing out: state() then names the batch that comes next
            yield batch
        if self.epoch == epoch:
            self.epoch, self.batch = epoch + 1, 0

    def _made(self, rows: Iterator[np.ndarray]) -> Iterator[Batch]:
        """The batches of these rows, made here or by the processes."""
        if not self.workers:
            return map(self.fill, rows)
        if self._makers is None:
            self._makers = BatchMakers(self, self.workers)
        return self._makers.batches(rows)

    def forever(self) -> Iterator[Batch]:
        """Batches without end, epoch after epoch."""
        while True:
            yield from self

    def fill(self, rows: np.ndarray) -> Batch:
        """Copy rows out of the dataset: x, y (B, T), between them documents if asked for."""
        shape = (len(rows), self.context)
        if self._buffers is None or not self.reuse or self._buffers[0].shape != shape:
            self._buffers = np.empty(shape, np.int64), np.empty(shape, np.int64)
        x, y = self._buffers
        ids, end = self.dataset.ids, self.dataset.end_token
        inside = self.windows in ("stream", "sliding")  # of a document: a row may begin there
        for i, row in enumerate(rows):
            start, length = self.starts[row], self.lengths[row]
            y[i, :length] = ids[start : start + length]
            y[i, length:] = IGNORE_INDEX
            x[i, 1:length] = y[i, : length - 1]
            x[i, length:] = 0 if end is None else end
            x[i, 0] = end if start == 0 or not inside else ids[start - 1]
        if not self.documents:
            return x, y
        # A document begins where x has an end token that announces it; y ends with one.
        number = np.cumsum(x == end, axis=1)
        return x, np.where(y == IGNORE_INDEX, 0, number), y

    def state(self) -> dict[str, int | str | bool]:
        """Where the loader stands: plain values, which JSON can hold."""
        return {"epoch": self.epoch, "batch": self.batch, **self._identity()}

    def resume(self, state: dict[str, int | str | bool]) -> None:
        """Go on exactly where ``state`` was taken; refuses the state of another loader."""
        if not isinstance(state, dict):
            raise TypeError(f"state={state!r:.60}: expected what state() of a loader returns")
        for name, mine in self._identity().items():
            if state.get(name) != mine:
                raise ValueError(
                    f"state[{name!r}]={state.get(name)!r} belongs to another loader; this one has "
                    f"{mine!r}. Build the loader as it was when the state was saved"
                )
        epoch, batch = state.get("epoch"), state.get("batch")
        if not (isinstance(epoch, int) and isinstance(batch, int)) \
                or bool in (type(epoch), type(batch)) or epoch < 0 or not 0 <= batch <= len(self):
            raise ValueError(f"state names epoch {epoch!r:.40}, batch {batch!r:.40}; expected "
                             f"whole numbers from 0, and a batch of at most {len(self)}")
        self.epoch, self.batch = epoch, batch

    def _identity(self) -> dict[str, int | str | bool]:
        """What must be equal for two loaders to give the same batches."""
        tail = not self.drop_last and self.windows == "stream"
        return {
            "tokens": len(self.dataset),
            "batch_size": self.batch_size,
            "context": self.context,
            "stride": self.stride,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "drop_last": self.drop_last,
            "windows": self.windows,
            **({"rows": len(self.starts)} if tail else {}),
            **({"documents": True} if self.documents else {}),
            **({"shortest": self.shortest} if self.windows == "sliding" else {}),
        }
