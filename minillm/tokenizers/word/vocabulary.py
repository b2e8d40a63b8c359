"""The model whose tokens are whole pieces, words or characters: a plain vocabulary."""

from dataclasses import dataclass

import numpy as np

from ..text.segments import Pieces
from ..text.unknown_text import texts_of, unknown


@dataclass(eq=False)
class WordVocabulary:
    """Each piece is looked up whole; one that is not there becomes `unk_id`."""

    vocabulary: list[bytes | None]
    unk_id: int | None = None

    def __post_init__(self) -> None:
        self.ids = {token: id for id, token in enumerate(self.vocabulary) if token is not None}

    def __call__(self, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) of the pieces and their byte spans (n, 2)."""
        ids = []
        for piece, start, _ in texts_of(pieces):
            id = self.ids.get(piece.encode(), self.unk_id)
            if id is None:
                raise unknown(piece, start)
            ids.append(id)
        return np.array(ids, np.int32), pieces.spans.astype(np.int64)
