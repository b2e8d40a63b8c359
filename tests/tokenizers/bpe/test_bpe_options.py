"""The options of BPE: what training may join, marks, unknown characters, and three dropouts."""

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import ByteBPE, CharacterBPE, Pieces, Tokenizer
from minillm.tokenizers.bpe.dropout import merge_groups
from minillm.tokenizers.bpe.merges import apply_merges, learn_merges, learn_merges_fast

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/bpe_options.json").read_text("ascii"))


@pytest.mark.parametrize(("options", "vocabulary", "merges"), GOLDEN["trained"])
@pytest.mark.parametrize("kind", ["numpy", "numba"])
def test_stored_training(options, vocabulary, merges, kind):
    options = dict(options)
    if "initial_alphabet" in options:
        options["initial_alphabet"] = "".join(options["initial_alphabet"])
    with backend(kind):
        tok = Tokenizer.train(
            GOLDEN["corpus"], "bpe", 200, suffix="", unk_token=None, **options)
    names = [token.decode() for token in tok.model.vocabulary]
    assert names == vocabulary
    assert [[names[a], names[b]] for a, b, _ in tok.model.merges.tolist()] == merges


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=1, max_size=8),
       st.integers(2, 7), st.sampled_from(["huggingface", "cs336"]))
def test_longest_token(words, limit, tie):
    counts = list(range(1, len(words) + 1))
    tokens = [b"a", b"b", b"c", b"d"]
    plain = learn_merges(words, counts, tokens, 20, tie, 1, limit)
    offsets = np.cumsum([0, *map(len, words)])
    symbols = np.array([id for word in words for id in word], np.int32)
    fast = learn_merges_fast(symbols, offsets, np.array(counts), tokens, 20, tie, 1, limit)
    assert [tuple(pair) for pair in fast.tolist()] == plain
    widths = [1] * 4
    for left, right in plain:
        widths.append(widths[left] + widths[right])
        assert widths[-1] < max(limit, 3)


def model(names, merges, **options):
    vocabulary = [name.encode() for name in names]
    rows = [[names.index(a), names.index(b), names.index(a + b)] for a, b in merges]
    return CharacterBPE(vocabulary, np.array(rows, np.int32).reshape(-1, 3), suffix="", **options)


def encoded(made, text):
    data = np.frombuffer(text.encode(), np.uint8)
    return made(Pieces(data, np.array([[0, len(data)]])))[0].tolist()


def test_unknown_characters():
    names = ["u", "a", "b", "ab", "<0xC3>", "<0xA9>"]
    merges = [("a", "b")]
    assert encoded(model(names, merges, drop_unknown=True), "azb") == [3]
    assert encoded(model(names, merges, unk_id=0), "abzz") == [3, 0, 0]
    assert encoded(model(names, merges, unk_id=0, fuse_unk=True), "abzz") == [3, 0]
    # a waiting unknown token lets the bytes of the next character pass
    falling = model(names, merges, unk_id=0, byte_fallback=True)
    assert encoded(falling, "abzz\u00e9ab") == [3, 0, 4, 5, 0, 3]
    with pytest.raises(ValueError, match="'z' at byte 0"):
        encoded(model(names, merges), "azb")


def test_whole_words():
    names = ["a", "b", "c", "bc", "abc", "ab"]
    merges = [("a", "b"), ("b", "c")]
    assert encoded(model(names, merges), "abc") == [5, 2]
    assert encoded(model(names, merges, whole_words=True), "abc") == [4]
    assert encoded(model(names, merges, whole_words=True), "abcabc") == [5, 2, 5, 2]


RANKS = {(0, 1): (0, 4), (2, 3): (1, 5)}  # a b c d; ab, cd


@settings(max_examples=100)
@given(st.lists(st.integers(0, 3), max_size=12))
def test_heap_equals_definition(ids):
    ranks = {**RANKS, (4, 5): (2, 6), (1, 2): (3, 7), (0, 0): (4, 8), (8, 0): (5, 9)}
    merged, sizes = merge_groups(ids, ranks)
    assert merged == apply_merges(ids, ranks)
    assert sum(sizes) == len(ids)


@pytest.mark.parametrize(("rule", "share"), [("huggingface", 0.375), ("sentencepiece", 0.25)])
def test_share_of_both_merges_under_dropout(rule, share):
    rng = random.Random(0)
    found = Counter(
        tuple(merge_groups([0, 1, 2, 3], RANKS, 0.5, rng, rule)[0]) for _ in range(20_000)
    )
    deviation = (share * (1 - share) / 20_000) ** 0.5
    assert abs(found[4, 5] / 20_000 - share) < 5 * deviation


@pytest.mark.parametrize("rule", ["paper", "huggingface", "sentencepiece"])
def test_dropout_of_everything_and_of_nothing(rule):
    assert merge_groups([0, 1, 2, 3], RANKS, 1.0, None, rule) == ([0, 1, 2, 3], [1, 1, 1, 1])
    assert merge_groups([0, 1, 2, 3], RANKS, 0.0, None, rule) == ([4, 5], [2, 2])
    with pytest.raises(ValueError, match="dropout_rule='x'"):
        merge_groups([0, 1], RANKS, 0.5, None, "x")


def test_marks():
    tok = Tokenizer.train(["abab abc ab"], "bpe", 14, prefix="@@", suffix="</w>", unk_token=None)
    names = tok.tokens("abab")
    assert "".join(n.replace("@@", "").replace("</w>", "") for n in names) == "abab"
    assert tok.encode_with_offsets("abab ab")[1][-1][1] == 7


def test_long_pieces_with_merges_out_of_order():
    names = ["a", "b", "c", "ab", "abc"]
    merges = [("ab", "c"), ("a", "b")]  # the first needs what the second makes
    rows = np.array([[names.index(a), names.index(b), names.index(a + b)] for a, b in merges])
    model = ByteBPE([name.encode() for name in names], rows.astype(np.int32))
    data = np.frombuffer(b"abcab" * 9000, np.uint8)
    found = model(Pieces(data, np.array([[0, len(data)]])))[0]
    assert found.tolist() == [4, 3] * 9000
