"""Texts put together as bytes, each found again."""

from hypothesis import given
from hypothesis import strategies as st

from minillm.tokenizers.segments import as_utf8, joined_texts

from .texts import text


@given(st.lists(st.text("ab中é👍", max_size=6) | text, max_size=7), st.booleans())
def test_every_text_is_found_again(texts, surrogates):
    if surrogates:
        texts = [*texts, "a\ud83d", "\udc4d中", "\ud800"]
    data, spans = joined_texts(texts)
    assert [data[i:j].tobytes() for i, j in spans.tolist()] == [as_utf8(text) for text in texts]
    assert spans.shape == (len(texts), 2)
