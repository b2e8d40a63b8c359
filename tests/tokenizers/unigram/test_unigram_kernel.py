"""The kernel gives the ids of the definition."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.pre_tokenizers.split_rules import Split
from minillm.tokenizers.text.memory_kernel import count_and_note
from minillm.tokenizers.text.segments import joined_texts
from minillm.tokenizers.unigram import bulk
from minillm.tokenizers.unigram.bulk import trie_of
from minillm.tokenizers.unigram.most_probable import Unigram

from ..texts import text

pytest.importorskip("numba")
SCORES = [-1.0, -2.0, -3.0, 0.5, -0.1, -2.5, -7.25, -1 / 3]


@st.composite
def models(draw):
    """A model over few characters, so that random text is full of its pieces and of ties."""
    pieces = draw(st.sets(st.text("abcé中▁", min_size=1, max_size=4), min_size=1, max_size=15))
    variant = draw(st.sampled_from(["huggingface", "sentencepiece"]))
    fallback = draw(st.booleans())
    tokens = ["<unk>", *sorted(pieces)]
    types = [2] + [draw(st.sampled_from([1, 1, 1, 1, 4, 5])) for _ in pieces]
    if fallback:
        absent = draw(st.sampled_from([b"", "é".encode(), "文".encode()]))
        tokens += [f"<0x{byte:02X}>" for byte in range(256) if byte not in absent]
        types += [6] * (len(tokens) - len(types))
    scores = [draw(st.sampled_from(SCORES)) for _ in tokens]
    return Unigram(
        [token.encode() for token in tokens], scores, np.array(types), 0, fallback, variant
    )


@settings(max_examples=300, deadline=None)
@given(
    models(), st.lists(st.text("aaabc é中文▁▁", max_size=40) | text, max_size=4),
    st.sampled_from([None, Split("gpt2"), Split("o200k")]), st.sampled_from([1, 1, 60]),
)
def test_same_ids(model, sources, split, times):
    tok = Tokenizer(model, pre_tokenizer=split)
    sources = [source * times for source in sources]
    fast = tok.encode_batch(sources)
    with backend("numpy"):
        slow = tok.encode_batch(sources)
    np.testing.assert_array_equal(fast[0], slow[0])
    np.testing.assert_array_equal(fast[1], slow[1])
    offsets = [tok.encode_with_offsets(source) for source in sources]
    with backend("numpy"):
        assert offsets == [tok.encode_with_offsets(source) for source in sources]


def test_unknown_character():
    tok = Tokenizer(Unigram([b"a", b"b", "▁".encode()], [-1.0, -2.0, -3.0]))
    assert tok.encode("▁abb▁a") == [2, 0, 1, 1, 2, 0]
    for source in ("▁ab中", "▁abbbbbbbbbbbbbbbbbbb中"):
        with pytest.raises(ValueError, match=f"'中' at byte {len(source.encode()) - 3}"):
            tok.encode(source)


def test_more_words_than_the_memory_holds():
    rng = random.Random(3)
    tokens = [b"<unk>", "▁".encode(), *(bytes([letter]) for letter in b"abcdefgh")]
    tok = Tokenizer(Unigram(tokens, -np.arange(10.0), unk_id=0, variant="sentencepiece"))
    words = ["".join(rng.choices("abcdefgh", k=rng.choice([6, 7, 30]))) for _ in range(200_000)]
    source = "▁" + "▁".join(words)
    assert tok.encode(source) == [tok.token_to_id(letter) for letter in source]


def test_rounding_is_that_of_the_line():
    """Words whose cut depends on the sum before them are cut again."""
    rng = random.Random(5)
    tokens = ["<unk>", "▁", "a", "b", "ab", "▁a", "z"]
    scores = [0, -1.7, -1.1, -1.3, -2.4001, -2.7999, -300.3]
    model = Unigram([t.encode() for t in tokens], scores, unk_id=0, variant="sentencepiece")
    tok = Tokenizer(model)
    rough = 0
    for _ in range(30):
        source = "".join("▁" + rng.choice(["ab", "aab", "zab", "ba"]) for _ in range(200))
        fast = tok.encode(source)
        with backend("numpy"):
            assert tok.encode(source) == fast
        alone = [id for word in source.split("▁")[1:] for id in tok.encode("▁" + word)]
        rough += alone != fast
    assert rough > 10


def test_very_long_lines():
    rng = random.Random(9)
    tokens = ["<unk>", "▁", "a", "b", "ab", "▁a", "z", "▁zz"]
    scores = [0, -1.7, -1.1, -1.3, -2.4001, -2.7999, -90.3, -181.01]
    model = Unigram([t.encode() for t in tokens], scores, unk_id=0, variant="sentencepiece")
    tok = Tokenizer(model)
    words = ["ab", "aab", "zab", "ba", "zz", "azaab" * 4]
    source = "".join("▁" + rng.choice(words) for _ in range(12_000))
    fast = tok.encode(source)
    with backend("numpy"):
        assert tok.encode(source) == fast


def test_marks_inside_pieces():
    """Where a piece goes on after a ▁, words cannot be cut by themselves."""
    for inside in ("a▁b", "Á▁b", "▁a▁"):
        tokens = ["<unk>", "▁", "a", "b", "Á", inside]
        for variant in ("huggingface", "sentencepiece"):
            model = Unigram([t.encode() for t in tokens], [-1.0] * 6, None, 0, False, variant)
            tok = Tokenizer(model)
            for source in ("a▁b", "▁a▁b", "Á▁b▁Á▁b", "▁a▁▁a▁"):
                fast = tok.encode(source)
                with backend("numpy"):
                    assert tok.encode(source) == fast


def test_trie_holds_every_string():
    rng = random.Random(7)
    strings = {bytes(rng.choices(range(256), k=rng.randint(1, 6))) for _ in range(20_000)}
    strings |= {bytes([byte]) for byte in range(256)} | {b"a" * k for k in range(1, 40)}
    units = trie_of({token: (k, 0.0) for k, token in enumerate(sorted(strings))})
    for k, token in enumerate(sorted(strings)):
        unit = int(units[0])
        for byte in token:
            unit = int(units[(unit >> 33) ^ byte])
            assert unit & 0x1FF == byte + 1
        assert (unit >> 9 & 0xFFFFFF) - 1 == k
    assert len(units) < 40 * len(strings)


def test_words_longer_than_a_short_key_are_remembered_with_all_their_ids():
    pieces = ["<unk>", "▁", "a", "b", "ab", "ba", "aab"]
    model = Unigram(
        [piece.encode() for piece in pieces], [0.0, -1.0, -2.0, -2.1, -2.2, -3.0, -3.5],
        np.array([2, 1, 1, 1, 1, 1, 1]), 0, False, "sentencepiece",
    )
    text = "aabababbaabab" * 3 + "▁ab"
    first, again = (model.encode(*joined_texts([text] * 2)) for _ in range(2))
    with backend("numpy"):
        wanted = Tokenizer(model).encode(text)
    assert first[0].tolist() == again[0].tolist() == wanted * 2
    words = model._memories.free[0].words
    assert words.used[0] == 2
    assert count_and_note(words, 0)[0] == len(wanted) - 2
    assert count_and_note(words, 0)[1] > 0  # its margin


def test_a_full_memory_is_emptied(monkeypatch):
    monkeypatch.setattr(bulk, "REMEMBERED", (1 << 11, 1 << 18, 1 << 18))  # room for one word
    pieces = [b"<unk>", b"a", b"b", b"ab", "▁".encode()]
    model = Unigram(pieces, [0.0, -2.0, -2.1, -2.2, -1.0], None, 0)
    tok, text = Tokenizer(model), "▁ab▁aab▁ab▁bb▁aab" * 4
    ids = tok.encode(text)
    words = model._memories.free[0].words
    assert words.used[0] == np.count_nonzero(words.slots) == 1
    with backend("numpy"):
        assert ids == tok.encode(text)
