"""Texts put together as bytes, each found again."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.text.segments import BLOCK, as_utf8, blocks_of, joined_texts

from ..texts import text


@given(st.lists(st.text("ab中é👍", max_size=6) | text, max_size=7), st.booleans())
def test_every_text_is_found_again(texts, surrogates):
    if surrogates:
        texts = [*texts, "a\ud83d", "\udc4d中", "\ud800"]
    data, spans = joined_texts(texts)
    assert [data[i:j].tobytes() for i, j in spans.tolist()] == [as_utf8(text) for text in texts]
    assert spans.shape == (len(texts), 2)


@given(st.lists(text, max_size=12), st.integers(1, 30))
def test_blocks_hold_the_texts_in_order(texts, characters):
    blocks = list(blocks_of(texts, characters))
    assert [text for block in blocks for text in block] == texts
    for block in blocks:
        assert len(block) == 1 or sum(map(len, block)) <= characters
    for block, after in pairwise(blocks):  # no block could have taken one more
        assert sum(map(len, block)) + len(after[0]) > characters


def test_a_batch_of_several_blocks():
    lines = [f"line {k} of many, 第{k}行\n" for k in range(200)]
    tok = Tokenizer.train(lines, "byte_bpe", 400)
    many = lines * 400
    assert sum(map(len, many)) > 1.5 * BLOCK
    ids, ends = tok.encode_batch(many)
    expected, steps = tok.encode_batch(lines)
    assert np.array_equal(ids, np.tile(expected, 400))
    assert np.array_equal(np.diff(ends), np.tile(np.diff(steps), 400))
    assert (ids.dtype, ends.dtype) == (np.int32, np.int64)
