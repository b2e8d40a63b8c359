"""Learning SentencePiece's BPE: the kernel and the definition."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.sentencepiece.learning import learn_pieces, learn_pieces_fast
from minillm.tokenizers.sentencepiece.model_file import TrainerSpec
from minillm.tokenizers.sentencepiece.training_text import piece_rules

from ..texts import text as nasty
from .test_sentencepiece import marks

numba = pytest.importorskip("numba")

specs = st.builds(
    TrainerSpec, split_by_unicode_script=st.booleans(), split_by_number=st.booleans(),
    split_digits=st.booleans(), split_by_whitespace=st.booleans(),
    treat_whitespace_as_suffix=st.booleans(), allow_whitespace_only_pieces=st.booleans(),
    max_piece_length=st.sampled_from([2, 3, 16]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.text("aab▁1é中ー\u0301\u2585", min_size=1, max_size=9),
                          st.integers(1, 4)), min_size=1, max_size=8), specs)
def test_learning_kernel_equals_the_definition(rows, spec):
    words, counts = [row[0] for row in rows], [row[1] for row in rows]
    points = np.array([ord(c) for word in words for c in word])
    offsets = np.cumsum([0, *map(len, words)])
    valid = piece_rules(spec)
    found = learn_pieces_fast(points, offsets, np.array(counts), 25, valid)
    assert found == learn_pieces(words, counts, 25, valid)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(nasty | marks, min_size=1, max_size=4).map("".join), min_size=1,
                max_size=6), specs)
def test_training_is_the_same_without_the_kernels(lines, spec):
    names = ("split_by_unicode_script", "split_by_number", "split_digits", "split_by_whitespace",
             "treat_whitespace_as_suffix", "allow_whitespace_only_pieces", "max_piece_length")
    options = {name: getattr(spec, name) for name in names}
    results = []
    for kind in ("numba", "numpy"):
        with backend(kind):
            tok = Tokenizer.train(
                lines, "sentencepiece", 120, ["<s>", "ab"], model_type="bpe",
                hard_vocab_limit=False, user_defined_symbols=["the"], **options,
            )
            results.append(tok.model.file.pieces)
    assert results[0] == results[1]



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
