"""The memory of pieces is emptied before it is too full, and not sooner."""

import numpy as np
import pytest

pytest.importorskip("numba")

from minillm.tokenizers.text.memory_kernel import (
    LONGEST,
    Memory,
    forget_if_full,
)
from minillm.tokenizers.wordpiece.longest_match import WordPiece


@pytest.mark.parametrize(("which", "most"), [
    (0, 38),  # of 64 slots for short pieces, 60 %
    (1, 1000 - LONGEST),  # ids, so that one more piece has room
    (2, 9),  # of 16 slots for long pieces
    (3, 2000 - LONGEST),  # bytes of long pieces
])
def test_memory_is_emptied_when_one_part_is_full(which, most):
    for filled in (most, most + 1):
        memory = Memory(
            short=np.ones(4 * 64, np.uint64), long=np.ones(4 * 16, np.uint64),
            stored=np.zeros(2000, np.uint8), arena=np.zeros(1000, np.int32),
            used=np.zeros(4, np.int64), symbols=np.zeros(LONGEST, np.int32),
            values=np.zeros(1, np.uint64),
        )
        memory.used[which] = filled
        forget_if_full(memory)
        kept = filled == most
        assert memory.used.tolist() == [filled * (k == which) * kept for k in range(4)]
        assert (memory.short == kept).all()
        assert (memory.long == kept).all()


def test_words_of_more_pieces_than_a_memory_works_on():
    """The kernel spells a very long word where its ids belong, not in the memory's own room."""
    from minillm.tokenizers.normalizers.bert import BertNormalizer
    from minillm.tokenizers.pre_tokenizers.bert import BertSplit

    model = WordPiece([b"[UNK]", b"a", b"##a", b"b"], 0, longest=5000)
    normalizer, text = BertNormalizer(), "a" * 4000 + " b " + "a" * 4000
    data = np.frombuffer(text.encode(), np.uint8)
    ids, _ = model.bulk(normalizer, BertSplit())(data, np.array([[0, len(data)]]))
    assert ids.tolist() == model(BertSplit()(text))[0].tolist() == (
        [1] + [2] * 3999 + [3, 1] + [2] * 3999
    )
