"""Learning SentencePiece's BPE: the kernel and the definition."""

import random

import numpy as np
import pytest

from minillm.tokenizers.sentencepiece.learning import learn_pieces, learn_pieces_fast
from minillm.tokenizers.sentencepiece.model_file import TrainerSpec
from minillm.tokenizers.sentencepiece.training_text import piece_rules

numba = pytest.importorskip("numba")


def test_long_pieces_that_begin_alike_are_told_apart():
    """Of 300 words most have another that begins with the same letters near it in the table."""
    rng = random.Random(5)
    words = sorted({"ab" + "".join(rng.choices("cde", k=6)) for _ in range(300)})
    counts = [rng.randrange(1, 50) for _ in words]
    rules = piece_rules(TrainerSpec(model_type="bpe", vocab_size=2000))
    points, offsets = np.array([ord(c) for c in "".join(words)]), np.cumsum([0, *map(len, words)])
    fast = learn_pieces_fast(points, offsets, np.array(counts), 1000, rules)
    assert fast == learn_pieces(words, counts, 1000, rules)
    assert set(words) < set(fast)


def test_kernels_that_read_bytes_refuse_other_arrays():
    """Eight letters of four bytes each are no eight bytes."""
    from minillm.tokenizers.text.machine_kernel import load64
    from minillm.tokenizers.text.pieces_kernel import same_bytes

    first = numba.njit(lambda array: load64(array, 0))
    equal = numba.njit(lambda array: same_bytes(array, 0, array, 0, 8))
    assert first(np.arange(8, dtype=np.uint8)) == 0x0706050403020100
    for array in (np.zeros(8, np.int32), np.zeros(16, np.uint8)[::2]):
        for kernel in (first, equal):
            with pytest.raises(numba.TypingError, match="array of uint8 without gaps"):
                kernel(array)
