"""What word2vec is shown: the words of a text, and those that chance puts against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..vectors.counts import checked

CHUNK = 100_000  # words between two looks at the clock and at Ctrl-C
BITS = 20  # the table of words to draw from has 2^BITS places
POWER = 0.75  # of a word's count, by which it is drawn


class WordWindows:
    """A text as ids, the most frequent word first, and the three kinds of chance in word2vec.

    subsample: t; a word of share f of the text is kept with the probability √(t/f) + t/f, as in
    word2vec's first program. Words to be told from are drawn by their count to the power of 3/4.
    """

    def __init__(self, documents: Iterable[Sequence[str]], least: int, subsample: float | None,
                 window: int, negatives: int):
        self.window, self.negatives = window, negatives
        documents = list(checked(documents))
        counts = Counter(word for words in documents for word in words)
        common = sorted((-n, word) for word, n in counts.items() if n >= least)
        if len(common) < 2:
            raise ValueError(f"documents holds {len(common)} words that occur at least "
                             f"least={least} times; expected two or more: a word is learned by "
                             "telling it from others")
        self.words = [word for _, word in common]
        index = {word: i for i, word in enumerate(self.words)}
        ids = [[index[word] for word in words if word in index] for words in documents]
        self.ids = np.array([i for words in ids for i in words], np.int32)
        self.start = np.cumsum([0, *map(len, ids)])  # of each document, and the end of the last
        self.counts = np.array([-n for n, _ in common])
        # The ends are rounded, not the lengths: so the whole table is given away.
        ends = np.cumsum(self.counts**POWER)
        ends = np.rint(ends / ends[-1] * 2**BITS).astype(np.int64)
        self.table = np.repeat(np.arange(len(ends), dtype=np.int32), np.diff(ends, prepend=0))
        ratio = np.inf if subsample is None else subsample / (self.counts / self.counts.sum())
        self.kept = np.minimum(np.sqrt(ratio) + ratio, 1) * np.ones(len(self.words), np.float32)

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Documents from first to end, some CHUNK words at a time."""
        first = 0
        while first < len(self.start) - 1:
            end = int(np.searchsorted(self.start, self.start[first] + CHUNK, side="right")) - 1
            end = max(end, first + 1)  # one document may be longer
            yield first, end
            first = end

    def draw(self, first: int, end: int, rng: np.random.Generator):
        """The places of the words kept in these documents, and then what ops.skip_gram is given:
        ids, start, reach and negatives."""
        start = self.start[first:end + 1] - self.start[first]
        ids = self.ids[self.start[first]:self.start[end]]
        keep = rng.random(len(ids), np.float32) < self.kept[ids]
        start = np.concatenate([[0], np.cumsum(keep)])[start]
        places = np.flatnonzero(keep)
        reach = rng.integers(1, self.window + 1, len(places), np.int32)
        bits = rng.integers(0, 2**32, (len(places), self.negatives), np.uint32)
        return places, ids[keep], start, reach, self.table[bits >> np.uint32(32 - BITS)]
