"""Post-processors: the special tokens that a model expects around one text or between two."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Part = tuple[int | str, int]  # (an id, or "A" or "B" for a text; the type id of what it gives)


@dataclass(frozen=True)
class Template:
    """What a text, or a pair of texts, is put into.

    single, pair: parts in order, such as ``((101, 0), ("A", 0), (102, 0))`` for [CLS] A [SEP].
    """

    single: tuple[Part, ...] = (("A", 0),)
    pair: tuple[Part, ...] = (("A", 0), ("B", 1))

    @classmethod
    def around(cls, before: Sequence[int] = (), after: Sequence[int] = ()) -> "Template":
        """Ids before and after a text; before, between and after the texts of a pair.

        ``Template.around([cls], [sep])`` is BERT's: [CLS] A [SEP] B [SEP], of type 0 up to the
        first [SEP] and 1 after it.
        """
        first = [(id, 0) for id in before], [(id, 0) for id in after]
        single: tuple[Part, ...] = (*first[0], ("A", 0), *first[1])
        return cls(single, (*single, ("B", 1), *((id, 1) for id in after)))

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Ids of one text with what goes around it."""
        return self.fill(self.single, {"A": ids})[0]

    def join(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ids, type ids) of two texts, int32."""
        return self.fill(self.pair, {"A": first, "B": second})

    def fill(
        self, parts: tuple[Part, ...], texts: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        ids, types = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for what, kind in parts:
            ids.append(texts[what] if isinstance(what, str) else np.array([what], np.int32))
            types.append(np.full(len(ids[-1]), kind, np.int32))
        return np.concatenate(ids).astype(np.int32), np.concatenate(types)
