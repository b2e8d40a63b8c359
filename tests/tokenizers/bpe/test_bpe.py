"""Learning and applying merges: definitions, kernels, and worked examples."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.bpe.merges import (
    TIES,
    apply_merges,
    best_pair,
    count_pairs,
    learn_merges,
    learn_merges_fast,
)


def flat(words):
    offsets = np.concatenate([[0], np.cumsum([len(word) for word in words])]).astype(np.int64)
    return np.array([id for word in words for id in word], np.int32), offsets


words_and_counts = st.lists(
    st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(1, 4)),
    min_size=1, max_size=9,
)


@settings(max_examples=300)
@given(words_and_counts, st.sampled_from(TIES), st.integers(1, 3))
def test_kernel_learns_what_the_definition_learns(rows, tie, least):
    pytest.importorskip("numba")
    words, counts = [row[0] for row in rows], [row[1] for row in rows]
    tokens = [b"d", b"a", b"c", b"bb"]
    expected = learn_merges(words, counts, tokens, 20, tie, least)
    found = learn_merges_fast(*flat(words), np.array(counts), tokens, 20, tie, least)
    assert [tuple(pair) for pair in found.tolist()] == expected


def test_many_pairs_make_the_tables_grow():
    pytest.importorskip("numba")
    rng = random.Random(0)
    words = [[rng.randrange(300) for _ in range(rng.randrange(1, 12))] for _ in range(2500)]
    counts = [rng.randrange(1, 5) for _ in words]
    tokens = [bytes([65 + k // 60, 65 + k % 60]) for k in range(300)]
    for tie in TIES:
        expected = learn_merges(words, counts, tokens, 60, tie)
        found = learn_merges_fast(*flat(words), np.array(counts), tokens, 60, tie)
        assert [tuple(pair) for pair in found.tolist()] == expected


def learned(text: str, tie: str, merges: int = 1) -> list[str]:
    words = [list(word.encode()) for word in text.split()]
    tokens = [bytes([byte]) for byte in range(256)]
    pairs = learn_merges(words, [1] * len(words), tokens, merges, tie)
    for left, right in pairs:
        tokens.append(tokens[left] + tokens[right])
    return [f"{tokens[left].decode()}+{tokens[right].decode()}" for left, right in pairs]


def test_tie_rules():
    assert [learned("yz ya", tie)[0] for tie in TIES] == ["y+a", "y+z", "y+z"]
    assert [learned("ab cd", tie)[0] for tie in TIES] == ["a+b", "c+d", "a+b"]
    assert learned("aaaaa ab " * 3, "huggingface", 3) == ["a+a", "a+b", "aa+a"]
    with pytest.raises(ValueError, match="tie='first'"):
        best_pair({(0, 1): 1}, [b"a", b"b"], "first")


def test_overlapping_pairs_are_counted():
    assert count_pairs([[1, 1, 1]], [1]) == {(1, 1): 2}


pair_lists = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=14, unique=True)


@settings(max_examples=200)
@given(st.lists(st.integers(0, 3), max_size=40), pair_lists, st.randoms(use_true_random=False))
def test_merging_kernels_equal_the_definition(symbols, pairs, rng):
    """Also for vocabularies that no trainer makes: any pair may give any id at any rank."""
    pytest.importorskip("numba")
    from minillm.tokenizers.bpe.merging_kernel import merge_scanning, pairs_of
    from minillm.tokenizers.text.machine_kernel import njit

    rows = [(left, right, rng.randrange(4, 10)) for left, right in pairs]
    ranks = {(left, right): (rank, new) for rank, (left, right, new) in enumerate(rows)}
    expected = apply_merges(symbols, ranks)
    table = pairs_of(np.array(rows, np.int32), np.arange(len(rows)))
    global _scanning
    if _scanning is None:
        _scanning = njit(lambda ids, values, n, table: merge_scanning(ids, values, n, table))
    ids = np.array(symbols, np.int32)
    assert ids[: _scanning(ids, np.zeros(64, np.uint64), len(ids), table)].tolist() == expected


_scanning = None


def test_dropout():
    ranks = {(0, 1): (0, 4), (2, 3): (1, 5)}
    assert apply_merges([0, 1, 2, 3], ranks, dropout=1.0) == [0, 1, 2, 3]
    rng = random.Random(1)
    draws = [tuple(apply_merges([0, 1, 2, 3], ranks, 0.5, rng)) for _ in range(4000)]
    # Rounds go on until one passes over everything: each of the 4 results has a known chance.
    assert draws.count((0, 1, 2, 3)) / 4000 == pytest.approx(0.25, abs=0.03)
    assert draws.count((4, 5)) / 4000 == pytest.approx(0.375, abs=0.03)


def test_sennrich_words():
    """The example of Sennrich, Haddow and Birch (2016), figure 1."""
    text = " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
    tok = Tokenizer.train([text], "bpe", vocab_size=100, unk_token=None)
    names = [(token or b"").decode() for token in tok.model.vocabulary]
    first = [(names[left], names[right]) for left, right, _ in tok.model.merges[:2].tolist()]
    assert first == [("e", "s"), ("es", "t</w>")]  # 9 times each; s + t</w> ties with the first
    assert tok.tokens("lowest newest")[-2:] == ["est</w>", "newest</w>"]
    assert tok.decode(tok.encode("lowest  newest")) == "lowest newest"


def test_training_is_the_same_without_numba():
    texts = ["the cat sat on the mat, the rat ran", "中文 and 中文字 x" * 3]
    for model, size in (("byte_bpe", 300), ("bpe", 60), ("word", 20), ("char", None)):
        fast = Tokenizer.train(texts, model, vocab_size=size)
        with backend("numpy"):
            slow = Tokenizer.train(texts, model, vocab_size=size)
            ids = slow.encode(texts[1])
        assert fast.model.vocabulary == slow.model.vocabulary
        assert fast.encode(texts[1]) == ids
