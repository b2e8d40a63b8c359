"""Looking up many pieces at once; the definition is ``WordVocabulary``."""

from typing import Any

import numpy as np

from ..text.segments import unknown
from .vocabulary import WordVocabulary


def look_up(
    model: WordVocabulary, entries: Any, data: np.ndarray, pieces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(ids, ends) of the pieces (n, 2) of `data`; each has one id.

    entries: the ``Entries`` of the model's vocabulary.
    """
    from ..text.index_kernel import find_entries

    ids = np.empty(len(pieces), np.int32)
    find_entries(data, pieces, entries, ids)
    missing = np.flatnonzero(ids < 0)
    if len(missing) and model.unk_id is None:
        i, j = pieces[missing[0]].tolist()
        raise unknown(data[i:j].tobytes().decode(), i)
    ids[missing] = -1 if model.unk_id is None else model.unk_id
    return ids, np.arange(1, len(pieces) + 1)
